package dev.strata.trainer.training;

import dev.strata.graph.Constant;
import dev.strata.graph.DataType;
import dev.strata.graph.MemoryTensors;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSpec;
import dev.strata.plan.ExecutionContext;
import dev.strata.plan.Planner;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One operator without a layer, as the runtime computes it.
final class RuntimeOperator {
  private RuntimeOperator() {}

  /// @param inputs by name; whole numbers are taken for constants, as the runtime wants them where
  ///     shapes follow from them
  /// @return its outputs by name
  static Map<String, Tensor> run(Node node, Map<String, Tensor> inputs) {
    List<TensorSpec> given = new ArrayList<>();
    Map<String, Tensor> floats = new HashMap<>();
    List<Constant> constants = new ArrayList<>();
    try (MemoryTensors tensors = new MemoryTensors();
        Arena arena = Arena.ofShared()) {
      inputs.forEach(
          (name, tensor) -> {
            if (tensor.type() == DataType.FP32) {
              given.add(new TensorSpec(name, DataType.FP32, tensor.shape()));
              floats.put(name, tensor);
            } else {
              constants.add(new Constant(name, tensor.type(), tensor.shape()));
              tensors.put(name, tensor.data());
            }
          });
      ModelGraph alone = new ModelGraph(given, node.outputs(), List.of(node), constants, List.of());
      try (ExecutionContext context =
          Planner.plan(alone, Optional.empty(), tensors, arena).newContext()) {
        return context.run(floats);
      }
    }
  }
}
