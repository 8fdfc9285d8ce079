package dev.strata.loadtest.bench;

import com.google.protobuf.ByteString;
import dev.strata.onnx.GraphProto;
import dev.strata.onnx.NodeProto;
import dev.strata.onnx.TensorProto;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Random;

/// Eight dense layers of 2,048 x 2,048 invented weights with rectifiers between them. One row reads
/// every plane once and does little with it, so what a request costs goes with its bits.
final class LayersModel {
  static final String NAME = "layers";
  private static final int COLUMNS = 2048;
  private static final int LAYERS = 8;
  private static final long SEED = 7;

  private LayersModel() {}

  /// Makes a repository of this one model.
  ///
  /// @param root the project's folder
  static void importTo(Path repository, Path root) throws IOException, InterruptedException {
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .setName(NAME)
            .addInput(OnnxImport.rows("x", COLUMNS))
            .addOutput(OnnxImport.rows("y", COLUMNS));
    Random random = new Random(SEED);
    String input = "x";
    for (int layer = 0; layer < LAYERS; layer++) {
      String output = layer == LAYERS - 1 ? "y" : "h" + layer;
      graph.addInitializer(weights("w" + layer, random));
      graph.addNode(node("MatMul", "dense" + layer, input, "w" + layer, "s" + layer));
      graph.addNode(node("Relu", "rectifier" + layer, "s" + layer, "", output));
      input = output;
    }
    OnnxImport.run(graph.build(), repository, root);
  }

  private static NodeProto node(
      String operator, String name, String input, String weights, String output) {
    NodeProto.Builder node =
        NodeProto.newBuilder().setOpType(operator).setName(name).addInput(input).addOutput(output);
    return weights.isEmpty() ? node.build() : node.addInput(weights).build();
  }

  /// Scaled so that rows keep their size from layer to layer.
  private static TensorProto weights(String name, Random random) {
    ByteBuffer bytes =
        ByteBuffer.allocate(COLUMNS * COLUMNS * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    double scale = Math.sqrt(2.0 / COLUMNS);
    while (bytes.hasRemaining()) {
      bytes.putFloat((float) (scale * random.nextGaussian()));
    }
    return TensorProto.newBuilder()
        .setName(name)
        .setDataType(TensorProto.DataType.FLOAT.getNumber())
        .addDims(COLUMNS)
        .addDims(COLUMNS)
        .setRawData(ByteString.copyFrom(bytes.flip()))
        .build();
  }
}
