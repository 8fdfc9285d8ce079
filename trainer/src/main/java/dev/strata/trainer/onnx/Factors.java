package dev.strata.trainer.onnx;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.BiPredicate;

/// A product taken apart: the values multiplied, and the constant numbers as one number.
/// Exporters write the same formula with its multiplications in any order and divide where they
/// could multiply.
///
/// @param values the factors that are not constant numbers
/// @param number the product of those that are
record Factors(List<String> values, double number) {

  /// @param product a Mul or Div node; products inside it are taken apart too if nothing else
  ///     uses them
  static Factors of(OnnxNode product, Network network) {
    List<String> values = new ArrayList<>();
    double number = collect(product, network, values);
    return new Factors(List.copyOf(values), number);
  }

  private static double collect(OnnxNode product, Network network, List<String> values) {
    double number = factor(product.input(0), network, values);
    if (product.is("Mul")) {
      return number * factor(product.input(1), network, values);
    }
    OptionalDouble divisor = network.scalar(product.input(1));
    if (divisor.isPresent()) {
      return number / divisor.getAsDouble();
    }
    values.add("1/" + product.input(1));
    return number;
  }

  private static double factor(String value, Network network, List<String> values) {
    OptionalDouble scalar = network.scalar(value);
    if (scalar.isPresent()) {
      return scalar.getAsDouble();
    }
    Optional<OnnxNode> inner =
        network
            .producer(value)
            .filter(node -> node.is("Mul") || isDivisionByNumber(node, network))
            .filter(node -> network.isUsedOnce(value));
    if (inner.isPresent()) {
      return collect(inner.get(), network, values);
    }
    values.add(value);
    return 1;
  }

  private static boolean isDivisionByNumber(OnnxNode node, Network network) {
    return node.is("Div") && network.scalar(node.input(1)).isPresent();
  }

  boolean hasNumber(double wanted) {
    return Math.abs(number - wanted) <= 1e-5 * Math.abs(wanted);
  }

  /// The node that makes one of exactly two factors, if it is of the type and the other factor
  /// is such that the pair fits.
  Optional<OnnxNode> pair(Network network, String type, BiPredicate<OnnxNode, String> fits) {
    if (values.size() != 2) {
      return Optional.empty();
    }
    for (int i = 0; i < 2; i++) {
      String other = values.get(1 - i);
      Optional<OnnxNode> found =
          network.producer(values.get(i), type).filter(node -> fits.test(node, other));
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }
}
