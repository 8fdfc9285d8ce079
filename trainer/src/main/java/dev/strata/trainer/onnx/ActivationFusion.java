package dev.strata.trainer.onnx;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// Finds activation functions that exporters write out: GELU with the error function or with
/// tanh, hard swish and hard sigmoid with Clip.
final class ActivationFusion implements Pass {
  private static final double SQRT_HALF = Math.sqrt(0.5);
  private static final double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
  private static final double CUBE_FACTOR = 0.044715;
  private static final Attributes TANH = Attributes.NONE.with("approximate", "tanh");

  @Override
  public void run(Network network) {
    for (OnnxNode node : network.nodes()) {
      if (node.is("Mul") || node.is("Div")) {
        Factors factors = Factors.of(node, network);
        gelu(network, factors)
            .map(x -> function(node, "Gelu", x, Attributes.NONE))
            .or(() -> geluTanh(network, factors).map(x -> function(node, "Gelu", x, TANH)))
            .or(
                () ->
                    hardSwish(network, factors)
                        .map(x -> function(node, "HardSwish", x, Attributes.NONE)))
            .or(() -> hardSigmoid(network, factors).map(x -> hardSigmoid(node, x)))
            .ifPresent(fused -> network.replace(node, fused));
      }
    }
  }

  /// `x * (1 + erf(x / sqrt 2)) / 2`
  private static Optional<String> gelu(Network network, Factors factors) {
    return factors
        .pair(network, "Add", (sum, x) -> isOnePlusErf(network, sum, x))
        .filter(sum -> factors.hasNumber(0.5))
        .map(sum -> other(factors, sum));
  }

  private static boolean isOnePlusErf(Network network, OnnxNode sum, String x) {
    return plusNumber(network, sum, 1)
        .flatMap(value -> network.producer(value, "Erf"))
        .flatMap(erf -> network.producer(erf.input(0)))
        .filter(scaled -> scaled.is("Mul") || scaled.is("Div"))
        .map(scaled -> Factors.of(scaled, network))
        .filter(scaled -> scaled.hasNumber(SQRT_HALF) && scaled.values().equals(List.of(x)))
        .isPresent();
  }

  /// `x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2`
  private static Optional<String> geluTanh(Network network, Factors factors) {
    return factors
        .pair(network, "Add", (sum, x) -> isOnePlusTanh(network, sum, x))
        .filter(sum -> factors.hasNumber(0.5))
        .map(sum -> other(factors, sum));
  }

  private static boolean isOnePlusTanh(Network network, OnnxNode sum, String x) {
    return plusNumber(network, sum, 1)
        .flatMap(value -> network.producer(value, "Tanh"))
        .flatMap(tanh -> network.producer(tanh.input(0), "Mul"))
        .map(scaled -> Factors.of(scaled, network))
        .filter(scaled -> scaled.hasNumber(SQRT_2_OVER_PI) && scaled.values().size() == 1)
        .flatMap(scaled -> network.producer(scaled.values().getFirst(), "Add"))
        .filter(inner -> inner.inputs().contains(x))
        .flatMap(inner -> network.producer(inner.input(inner.input(0).equals(x) ? 1 : 0), "Mul"))
        .map(cubed -> Factors.of(cubed, network))
        .filter(cubed -> cubed.hasNumber(CUBE_FACTOR) && isCube(network, cubed.values(), x))
        .isPresent();
  }

  private static boolean isCube(Network network, List<String> factors, String x) {
    return factors.equals(List.of(x, x, x))
        || (factors.size() == 1
            && network
                .producer(factors.getFirst(), "Pow")
                .filter(pow -> pow.input(0).equals(x) && network.isScalar(pow.input(1), 3))
                .isPresent());
  }

  /// `x * min(max(x + 3, 0), 6) / 6`, or `x` times the hard sigmoid of that slope.
  private static Optional<String> hardSwish(Network network, Factors factors) {
    Optional<OnnxNode> gate =
        factors.hasNumber(1.0 / 6)
            ? factors.pair(
                network,
                "Clip",
                (clip, x) -> isClippedPlusThree(network, clip).equals(Optional.of(x)))
            : factors
                .pair(network, "HardSigmoid", ActivationFusion::isSixthSlope)
                .filter(found -> factors.hasNumber(1));
    return gate.map(found -> other(factors, found));
  }

  private static boolean isSixthSlope(OnnxNode sigmoid, String x) {
    return sigmoid.input(0).equals(x)
        && Math.abs(sigmoid.attributes().real("alpha", 0.2f) - 1.0 / 6) < 1e-5
        && sigmoid.attributes().real("beta", 0.5f) == 0.5f;
  }

  /// `min(max(x + 3, 0), 6) / 6`
  private static Optional<String> hardSigmoid(Network network, Factors factors) {
    return factors.values().size() == 1 && factors.hasNumber(1.0 / 6)
        ? network
            .producer(factors.values().getFirst(), "Clip")
            .flatMap(clip -> isClippedPlusThree(network, clip))
        : Optional.empty();
  }

  private static Optional<String> isClippedPlusThree(Network network, OnnxNode clip) {
    boolean zeroToSix =
        clip.inputs().size() == 3
            && network.scalar(clip.input(1)).equals(OptionalDouble.of(0))
            && network.scalar(clip.input(2)).equals(OptionalDouble.of(6));
    return zeroToSix
        ? network.producer(clip.input(0), "Add").flatMap(sum -> plusNumber(network, sum, 3))
        : Optional.empty();
  }

  /// The other operand of a sum with a number.
  private static Optional<String> plusNumber(Network network, OnnxNode sum, double number) {
    for (int i = 0; i < 2; i++) {
      if (network.isScalar(sum.input(i), number)) {
        return Optional.of(sum.input(1 - i));
      }
    }
    return Optional.empty();
  }

  private static String other(Factors factors, OnnxNode factor) {
    return factors.values().getFirst().equals(factor.output())
        ? factors.values().getLast()
        : factors.values().getFirst();
  }

  private static OnnxNode hardSigmoid(OnnxNode node, String x) {
    return function(
        node, "HardSigmoid", x, Attributes.NONE.with("alpha", 1f / 6).with("beta", 0.5f));
  }

  private static OnnxNode function(OnnxNode node, String type, String x, Attributes attributes) {
    return new OnnxNode(node.name(), type, List.of(x), List.of(node.output()), attributes);
  }
}
