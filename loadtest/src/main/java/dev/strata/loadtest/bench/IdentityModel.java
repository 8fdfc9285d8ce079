package dev.strata.loadtest.bench;

import dev.strata.onnx.GraphProto;
import dev.strata.onnx.NodeProto;
import java.io.IOException;
import java.nio.file.Path;

/// A model that does next to nothing, so that what a request costs is the gateway: one rectifier
/// over 1,024 floats (4 KiB in, 4 KiB out).
final class IdentityModel {
  private static final String NAME = "identity";
  private static final long COLUMNS = 1024;

  private IdentityModel() {}

  /// Makes a repository of this one model.
  ///
  /// @param root the project's folder
  static void importTo(Path repository, Path root) throws IOException, InterruptedException {
    GraphProto graph =
        GraphProto.newBuilder()
            .setName(NAME)
            .addInput(OnnxImport.rows("x", COLUMNS))
            .addOutput(OnnxImport.rows("y", COLUMNS))
            .addNode(
                NodeProto.newBuilder()
                    .setOpType("Relu")
                    .setName("rectifier")
                    .addInput("x")
                    .addOutput("y"))
            .build();
    OnnxImport.run(graph, repository, root);
  }
}
