package dev.strata.trainer.onnx;

import dev.strata.graph.Tensor;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/// A constant added to a layer's output channels, or multiplied with them, becomes part of the layer:
/// the bias that many exporters write as a node of its own.
final class ChannelwiseFusion implements Pass {
  @Override
  public void run(Network network) {
    Map<String, ValueFacts> facts = FactInference.infer(network);
    for (OnnxNode seen : network.nodes()) {
      if (seen.is("Add") || seen.is("Mul")) {
        OnnxNode node = network.producer(seen.output()).orElse(seen);
        if (!fuse(network, facts, node, 0)) {
          fuse(network, facts, node, 1);
        }
      }
    }
  }

  private static boolean fuse(
      Network network, Map<String, ValueFacts> facts, OnnxNode node, int input) {
    Optional<OnnxNode> layer = network.producer(node.input(input)).filter(ChannelwiseFusion::isLayer);
    if (layer.isEmpty() || !network.isUsedOnce(node.input(input))) {
      return false;
    }
    Optional<Tensor> weight = network.constant(layer.get().input(1));
    int rank = facts.get(node.output()).extents().map(extents -> extents.size()).orElse(0);
    if (weight.isEmpty() || rank == 0) {
      return false;
    }
    int channels = (int) weight.get().shape().dim(0);
    int fromEnd = layer.get().is("Conv") ? rank - 2 : 0;
    Optional<Tensor> constant =
        network
            .constant(node.input(1 - input))
            .filter(tensor -> tensor.shape().rank() <= rank)
            .filter(tensor -> Tensors.isPerChannel(tensor, channels, fromEnd));
    if (constant.isEmpty() || !hasComputableBias(network, layer.get())) {
      return false;
    }
    float[] values = Tensors.perChannel(constant.get(), channels);
    float[] ones = new float[channels];
    Arrays.fill(ones, 1);
    boolean adds = node.is("Add");
    LayerScaling.apply(
        network, layer.get(), adds ? ones : values, adds ? values : new float[channels], node);
    return true;
  }

  private static boolean hasComputableBias(Network network, OnnxNode layer) {
    return layer.optionalInput(2).isEmpty() || network.constant(layer.input(2)).isPresent();
  }

  private static boolean isLayer(OnnxNode node) {
    return node.is("Conv") || node.is(OnnxNode.FULLY_CONNECTED);
  }
}
