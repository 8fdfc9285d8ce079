package dev.strata.loadtest.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.strata.onnx.GraphProto;
import dev.strata.onnx.ModelProto;
import dev.strata.onnx.NodeProto;
import dev.strata.onnx.OperatorSetIdProto;
import dev.strata.onnx.TensorProto;
import dev.strata.onnx.TensorShapeProto;
import dev.strata.onnx.TypeProto;
import dev.strata.onnx.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A model that does next to nothing, so that what a request costs is the gateway: one rectifier
/// over 1,024 floats (4 KiB in, 4 KiB out).
final class IdentityModel {
  static final String NAME = "identity";
  static final String INPUT = "x";
  static final List<Long> SHAPE = List.of(1L, 1024L);

  private IdentityModel() {}

  /// Makes a repository of this one model with the command line's `import`.
  ///
  /// @param root the project's folder
  static void importTo(Path repository, Path root) throws IOException, InterruptedException {
    Path folder = Files.createDirectories(repository.resolve(NAME).resolve("1"));
    Path onnx = Files.createTempFile("identity", ".onnx");
    try {
      Files.write(onnx, network().toByteArray());
      Process process =
          new ProcessBuilder(
                  root.resolve("strata").toString(),
                  "import",
                  onnx.toString(),
                  "--name",
                  NAME,
                  "-o",
                  folder.resolve("model.strata").toString())
              .redirectErrorStream(true)
              .start();
      String said = new String(process.getInputStream().readAllBytes(), UTF_8);
      if (process.waitFor() != 0) {
        throw new IOException("strata import: " + said);
      }
    } finally {
      Files.deleteIfExists(onnx);
    }
  }

  private static ModelProto network() {
    return ModelProto.newBuilder()
        .setIrVersion(8)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
        .setGraph(
            GraphProto.newBuilder()
                .setName(NAME)
                .addInput(rows(INPUT))
                .addOutput(rows("y"))
                .addNode(
                    NodeProto.newBuilder()
                        .setOpType("Relu")
                        .setName("rectifier")
                        .addInput(INPUT)
                        .addOutput("y")))
        .build();
  }

  private static ValueInfoProto rows(String name) {
    TensorShapeProto shape =
        TensorShapeProto.newBuilder()
            .addDim(TensorShapeProto.Dimension.newBuilder().setDimParam("n"))
            .addDim(TensorShapeProto.Dimension.newBuilder().setDimValue(SHAPE.getLast()))
            .build();
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder()
                        .setElemType(TensorProto.DataType.FLOAT.getNumber())
                        .setShape(shape)))
        .build();
  }
}
