package dev.strata.trainer.onnx;

import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.util.List;

/// Moves what happens to a layer's output channels into its weights and bias.
final class LayerScaling {
  private LayerScaling() {}

  /// Replaces `layer` followed by `next` (`y * factor + offset` per output channel) by one layer
  /// that gives the output of `next`.
  static void apply(
      Network network, OnnxNode layer, float[] factor, float[] offset, OnnxNode next) {
    Tensor weight = network.constant(layer.input(1)).orElseThrow();
    float[] bias =
        layer
            .optionalInput(2)
            .flatMap(network::constant)
            .map(tensor -> Tensors.perChannel(tensor, factor.length))
            .orElseGet(() -> new float[factor.length]);
    float[] newBias = new float[factor.length];
    boolean isScaled = false;
    for (int c = 0; c < factor.length; c++) {
      newBias[c] = (float) ((double) bias[c] * factor[c] + offset[c]);
      isScaled |= factor[c] != 1;
    }
    String weightName =
        isScaled
            ? network.addConstant(
                layer.input(1) + "@scaled", Tensors.scaleRows(weight, factor))
            : layer.input(1);
    String biasName =
        network.addConstant(
            layer.name() + "@bias", Tensor.of(Shape.of(newBias.length), newBias));
    network.remove(layer);
    network.replace(
        next,
        new OnnxNode(
            layer.name(),
            layer.type(),
            List.of(layer.input(0), weightName, biasName),
            List.of(next.output()),
            layer.attributes()));
  }
}
