package dev.strata.processing;

import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSpec;
import java.util.List;
import java.util.Map;

/// Client inputs are graph inputs; only type and shape are checked.
record UnchangedInputs(List<TensorSpec> specs) implements InputPreparation {

  @Override
  public List<PreparedBatch> prepare(Map<String, Tensor> inputs) {
    for (TensorSpec spec : specs) {
      InputChecks.requireFit(spec, inputs.get(spec.name()));
    }
    requireOneBatchSize(inputs);
    return List.of(new PreparedBatch(inputs, List.of()));
  }

  private void requireOneBatchSize(Map<String, Tensor> inputs) {
    List<TensorSpec> batched =
        specs.stream()
            .filter(spec -> spec.shape().rank() > 0 && spec.shape().dim(0) == Shape.VARIABLE)
            .toList();
    for (TensorSpec spec : batched) {
      String first = batched.getFirst().name();
      long expected = inputs.get(first).shape().dim(0);
      long got = inputs.get(spec.name()).shape().dim(0);
      if (got != expected) {
        throw new RejectedInputException(
            "input '%s': got %d rows, expected %d as in input '%s'"
                .formatted(spec.name(), got, expected, first));
      }
    }
  }
}
