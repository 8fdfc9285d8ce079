package dev.strata.trainer.onnx;

import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/// Finds layer normalization where it is written out:
/// `(x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) * scale + bias` over the last axis.
final class LayerNormalizationFusion implements Pass {
  @Override
  public void run(Network network) {
    Map<String, ValueFacts> facts = FactInference.infer(network);
    for (OnnxNode node : network.nodes()) {
      if (node.is("Add")) {
        new Match(network, facts).layer(node).ifPresent(fused -> network.replace(node, fused));
      }
    }
  }

  /// One attempt to read the formula backwards from its last addition.
  private record Match(Network network, Map<String, ValueFacts> facts) {

    Optional<OnnxNode> layer(OnnxNode sum) {
      for (int i = 0; i < 2; i++) {
        String bias = sum.input(i);
        Optional<OnnxNode> product = network.producer(sum.input(1 - i), "Mul");
        if (isVector(bias) && product.isPresent()) {
          return scaled(sum, product.get(), bias);
        }
      }
      return Optional.empty();
    }

    private Optional<OnnxNode> scaled(OnnxNode sum, OnnxNode product, String bias) {
      for (int i = 0; i < 2; i++) {
        String scale = product.input(i);
        Optional<OnnxNode> quotient = network.producer(product.input(1 - i), "Div");
        if (isVector(scale) && quotient.isPresent()) {
          return normalized(sum, quotient.get(), scale, bias);
        }
      }
      return Optional.empty();
    }

    private Optional<OnnxNode> normalized(
        OnnxNode sum, OnnxNode quotient, String scale, String bias) {
      Optional<String> x = centred(quotient.input(0));
      Optional<OnnxNode> floored =
          network
              .producer(quotient.input(1), "Sqrt")
              .flatMap(root -> network.producer(root.input(0), "Add"));
      if (x.isEmpty() || floored.isEmpty() || width(x.get()) != width(scale)) {
        return Optional.empty();
      }
      for (int i = 0; i < 2; i++) {
        OptionalDouble epsilon = network.scalar(floored.get().input(i));
        if (epsilon.isPresent() && isVariance(floored.get().input(1 - i), x.get())) {
          return Optional.of(
              new OnnxNode(
                  sum.name(),
                  "LayerNormalization",
                  List.of(x.get(), vector(scale), vector(bias)),
                  List.of(sum.output()),
                  Attributes.NONE.with("epsilon", (float) epsilon.getAsDouble())));
        }
      }
      return Optional.empty();
    }

    /// x, if the value is `x - mean(x)`.
    private Optional<String> centred(String value) {
      return network
          .producer(value, "Sub")
          .filter(
              difference -> meanOf(difference.input(1)).equals(Optional.of(difference.input(0))))
          .map(difference -> difference.input(0));
    }

    private boolean isVariance(String value, String x) {
      Optional<String> square = meanOf(value);
      Optional<OnnxNode> maker = square.flatMap(network::producer);
      if (maker.isEmpty()) {
        return false;
      }
      OnnxNode node = maker.get();
      boolean isSquare =
          (node.is("Pow") && network.isScalar(node.input(1), 2))
              || (node.is("Mul") && node.input(0).equals(node.input(1)));
      return isSquare && centred(node.input(0)).equals(Optional.of(x));
    }

    /// What a value is the mean of, along the last axis and with that axis kept.
    private Optional<String> meanOf(String value) {
      return network
          .producer(value, "ReduceMean")
          .filter(mean -> mean.attributes().flag("keepdims", true))
          .filter(
              mean -> {
                int rank = rank(mean.input(0));
                return rank > 0 && Axes.reduced(mean, network, rank).equals(List.of(rank - 1));
              })
          .map(mean -> mean.input(0));
    }

    private int rank(String value) {
      return facts.get(value).extents().map(List::size).orElse(0);
    }

    private long width(String value) {
      return facts
          .get(value)
          .extents()
          .filter(extents -> !extents.isEmpty() && extents.getLast().isKnown())
          .map(extents -> extents.getLast().size())
          .orElse(-1L);
    }

    private boolean isVector(String value) {
      return network
          .constant(value)
          .filter(tensor -> tensor.type() == DataType.FP32 && tensor.shape().rank() > 0)
          .filter(tensor -> tensor.shape().elements() == tensor.shape().dim(-1))
          .isPresent();
    }

    private String vector(String value) {
      Tensor tensor = network.constant(value).orElseThrow();
      return tensor.shape().rank() == 1
          ? value
          : network.addConstant(
              value + "@vector", Tensors.reshape(tensor, Shape.of(tensor.shape().dim(-1))));
    }
  }
}
