package dev.strata.plan;

import dev.strata.graph.Tensor;
import java.util.List;
import java.util.function.BooleanSupplier;

/// A plan at fixed input shapes: calls with all arguments resolved, over its context's block.
///
/// @param steps in order
/// @param inputs where the graph's inputs are copied to, in their order
/// @param outputs where the graph's outputs are afterwards, in their order
/// @param activationBytes bytes of the block that activations and scratch take
record BoundPlan(
    List<BoundStep> steps, List<Tensor> inputs, List<Tensor> outputs, long activationBytes) {

  /// Makes all calls, over inputs that were copied to their places. Allocates nothing.
  ///
  /// @param stop asked before each step
  /// @throws ExecutionStoppedException if it was true; nothing more is computed then
  void run(BooleanSupplier stop) {
    for (int i = 0; i < steps.size(); i++) {
      if (stop.getAsBoolean()) {
        throw new ExecutionStoppedException(steps.get(i).what().node());
      }
      steps.get(i).call().run();
    }
  }

  PlanDescription description() {
    return new PlanDescription(steps.stream().map(BoundStep::what).toList(), activationBytes);
  }
}
