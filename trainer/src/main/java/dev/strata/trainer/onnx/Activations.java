package dev.strata.trainer.onnx;

import dev.strata.graph.Activation;
import dev.strata.graph.Activation.Kind;
import java.util.Optional;
import java.util.OptionalDouble;

/// ONNX operators that are a function of one number.
final class Activations {
  private Activations() {}

  /// @return empty for other operators, and for Clip with bounds that are computed
  static Optional<Activation> of(OnnxNode node, Network network) {
    Attributes attributes = node.attributes();
    return switch (node.type()) {
      case "Relu" -> Optional.of(Activation.RELU);
      case "Clip" -> clip(node, network);
      case "LeakyRelu" ->
          Optional.of(new Activation(Kind.LEAKY_RELU, attributes.real("alpha", 0.01f), 0));
      case "HardSigmoid" ->
          Optional.of(
              new Activation(
                  Kind.HARD_SIGMOID,
                  attributes.real("alpha", 0.2f),
                  attributes.real("beta", 0.5f)));
      case "HardSwish" -> Optional.of(Activation.of(Kind.HARD_SWISH));
      case "Sigmoid" -> Optional.of(Activation.of(Kind.SIGMOID));
      case "Tanh" -> Optional.of(Activation.of(Kind.TANH));
      case "Erf" -> Optional.of(Activation.of(Kind.ERF));
      case "Gelu" ->
          Optional.of(
              Activation.of(
                  attributes.text("approximate", "none").equals("tanh")
                      ? Kind.GELU_TANH
                      : Kind.GELU));
      case "Sqrt" -> Optional.of(Activation.of(Kind.SQRT));
      case "Exp" -> Optional.of(Activation.of(Kind.EXP));
      case "Log" -> Optional.of(Activation.of(Kind.LOG));
      case "Abs" -> Optional.of(Activation.of(Kind.ABS));
      case "Neg" -> Optional.of(Activation.of(Kind.NEG));
      case "Reciprocal" -> Optional.of(Activation.of(Kind.RECIPROCAL));
      default -> Optional.empty();
    };
  }

  private static Optional<Activation> clip(OnnxNode node, Network network) {
    OptionalDouble low = bound(node, network, 1, -Float.MAX_VALUE);
    OptionalDouble high = bound(node, network, 2, Float.MAX_VALUE);
    if (low.isEmpty() || high.isEmpty()) {
      return Optional.empty();
    }
    boolean isRelu = low.getAsDouble() == 0 && high.getAsDouble() == Float.MAX_VALUE;
    return Optional.of(
        isRelu
            ? Activation.RELU
            : new Activation(Kind.CLIP, (float) low.getAsDouble(), (float) high.getAsDouble()));
  }

  private static OptionalDouble bound(OnnxNode node, Network network, int input, double absent) {
    return node.optionalInput(input)
        .map(network::scalar)
        .orElseGet(() -> OptionalDouble.of(absent));
  }
}
