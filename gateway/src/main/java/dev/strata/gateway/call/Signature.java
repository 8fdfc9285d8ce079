package dev.strata.gateway.call;

import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSpec;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Inputs and outputs of a model, and the one place that holds a request against them.
///
/// @param prepared whether the model itself turns its inputs into tensors (text, images): then it
/// may take more than one type, and judges types and shapes itself
public record Signature(List<TensorSpec> inputs, List<TensorSpec> outputs, boolean prepared) {

  public Signature {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
  }

  /// @param maxRows most rows (the first dimension) one request may have
  /// @throws InferenceException naming the field, what was got and what was expected
  public void check(InferenceRequest request, int maxRows) {
    Map<String, TensorSpec> specs = byName(inputs);
    for (Map.Entry<String, Tensor> input : request.inputs().entrySet()) {
      TensorSpec spec = specs.get(input.getKey());
      if (spec == null) {
        throw InferenceException.invalid(
            "inputs: got '%s', expected %s".formatted(input.getKey(), names(inputs)));
      }
      checkInput(spec, input.getValue(), maxRows);
    }
    for (String name : specs.keySet()) {
      if (!request.inputs().containsKey(name)) {
        throw InferenceException.invalid(
            "inputs: '%s' is missing, expected %s".formatted(name, names(inputs)));
      }
    }
    Map<String, TensorSpec> known = byName(outputs);
    for (OutputWish wish : request.outputs()) {
      TensorSpec spec = known.get(wish.name());
      if (spec == null) {
        throw InferenceException.invalid(
            "outputs: got '%s', expected one of %s".formatted(wish.name(), names(outputs)));
      }
      if (wish.classes().isPresent()
          && (spec.type() != DataType.FP32 || spec.shape().rank() == 0)) {
        throw InferenceException.invalid(
            "output '%s': classification: got a wish for classes of %s %s, expected FP32 scores"
                .formatted(wish.name(), spec.type(), spec.shape()));
      }
    }
  }

  private void checkInput(TensorSpec spec, Tensor tensor, int maxRows) {
    Shape shape = tensor.shape();
    if (!prepared && tensor.type() != spec.type()) {
      throw InferenceException.invalid(
          "input '%s': datatype: got %s, expected %s"
              .formatted(spec.name(), tensor.type(), spec.type()));
    }
    if (!prepared && !spec.shape().accepts(shape)) {
      throw InferenceException.invalid(
          "input '%s': shape: got %s, expected %s".formatted(spec.name(), shape, spec.shape()));
    }
    if (shape.dims().contains(0L)) {
      throw InferenceException.invalid(
          "input '%s': shape: got %s, expected at least 1 in every dimension"
              .formatted(spec.name(), shape));
    }
    if (shape.rank() > 0 && shape.dim(0) > maxRows) {
      throw InferenceException.invalid(
          "input '%s': shape: got %d rows, expected at most %d"
              .formatted(spec.name(), shape.dim(0), maxRows));
    }
  }

  private static Map<String, TensorSpec> byName(List<TensorSpec> specs) {
    Map<String, TensorSpec> byName = new LinkedHashMap<>();
    specs.forEach(spec -> byName.put(spec.name(), spec));
    return byName;
  }

  private static String names(List<TensorSpec> specs) {
    return specs.stream().map(spec -> "'" + spec.name() + "'").collect(Collectors.joining(", "));
  }
}
