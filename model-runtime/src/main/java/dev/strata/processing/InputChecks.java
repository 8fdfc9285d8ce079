package dev.strata.processing;

import dev.strata.graph.DataType;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSpec;
import java.util.List;
import java.util.Map;

/// What every model asks of its inputs: the right names, types, shapes and at least one element.
final class InputChecks {

  private InputChecks() {}

  static void requireNames(List<TensorSpec> specs, Map<String, Tensor> inputs) {
    List<String> names = specs.stream().map(TensorSpec::name).distinct().toList();
    for (String name : names) {
      if (!inputs.containsKey(name)) {
        throw new RejectedInputException(
            "input '%s': missing; got %s, expected %s"
                .formatted(name, inputs.keySet().stream().sorted().toList(), names));
      }
    }
    for (String name : inputs.keySet()) {
      if (!names.contains(name)) {
        throw new RejectedInputException(
            "input '%s': the model has no such input, expected %s".formatted(name, names));
      }
    }
  }

  static void requireFit(TensorSpec spec, Tensor got) {
    if (got.type() != spec.type()) {
      throw new RejectedInputException(
          "input '%s': got type %s, expected %s".formatted(spec.name(), got.type(), spec.type()));
    }
    if (!spec.shape().accepts(got.shape())) {
      throw new RejectedInputException(
          "input '%s': got shape %s, expected %s"
              .formatted(spec.name(), got.shape(), spec.shape()));
    }
    requireElements(spec.name(), got);
  }

  /// @return the elements of a `[-1]` BYTES input
  static List<byte[]> elements(String name, Tensor got) {
    if (got.type() != DataType.BYTES) {
      throw new RejectedInputException(
          "input '%s': got type %s, expected BYTES".formatted(name, got.type()));
    }
    if (got.shape().rank() != 1) {
      throw new RejectedInputException(
          "input '%s': got shape %s, expected [-1]".formatted(name, got.shape()));
    }
    requireElements(name, got);
    try {
      return got.toByteArrays();
    } catch (IllegalArgumentException damaged) {
      throw new RejectedInputException("input '%s': %s".formatted(name, damaged.getMessage()));
    }
  }

  private static void requireElements(String name, Tensor got) {
    if (!got.shape().isStatic() || got.shape().elements() < 1) {
      throw new RejectedInputException(
          "input '%s': got shape %s without elements, expected at least one"
              .formatted(name, got.shape()));
    }
  }
}
