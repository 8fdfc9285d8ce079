package dev.strata.loadtest.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.strata.onnx.GraphProto;
import dev.strata.onnx.ModelProto;
import dev.strata.onnx.OperatorSetIdProto;
import dev.strata.onnx.TensorProto;
import dev.strata.onnx.TensorShapeProto;
import dev.strata.onnx.TypeProto;
import dev.strata.onnx.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Makes artifacts of networks that benchmarks invent, with the command line's `import`.
final class OnnxImport {
  private OnnxImport() {}

  /// Puts a model into a repository.
  ///
  /// @param graph named as the model
  /// @param root the project's folder
  static void run(GraphProto graph, Path repository, Path root)
      throws IOException, InterruptedException {
    Path folder = Files.createDirectories(repository.resolve(graph.getName()).resolve("1"));
    Path onnx = Files.createTempFile(graph.getName(), ".onnx");
    try {
      ModelProto model =
          ModelProto.newBuilder()
              .setIrVersion(8)
              .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
              .setGraph(graph)
              .build();
      Files.write(onnx, model.toByteArray());
      Process process =
          new ProcessBuilder(
                  root.resolve("strata").toString(),
                  "import",
                  onnx.toString(),
                  "--name",
                  graph.getName(),
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

  /// Any number of rows of floats.
  static ValueInfoProto rows(String name, long columns) {
    TensorShapeProto shape =
        TensorShapeProto.newBuilder()
            .addDim(TensorShapeProto.Dimension.newBuilder().setDimParam("n"))
            .addDim(TensorShapeProto.Dimension.newBuilder().setDimValue(columns))
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
