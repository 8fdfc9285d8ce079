package dev.strata.plan;

import dev.strata.graph.Layer;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Op;
import dev.strata.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A graph at one precision, ready to be bound to shapes and run. Immutable and shared by all
/// contexts; borrows its model's tensors, so the model must stay open while contexts run.
public final class ExecutablePlan {
  private final ModelGraph graph;
  private final Map<String, Tensor> constants;
  private final Map<String, LayerWeights> layers;

  ExecutablePlan(
      ModelGraph graph, Map<String, Tensor> constants, Map<String, LayerWeights> layers) {
    this.graph = graph;
    this.constants = Map.copyOf(constants);
    this.layers = Map.copyOf(layers);
  }

  /// @return scratch memory for one thread at a time
  public ExecutionContext newContext() {
    return new ExecutionContext(this, MemoryPlan.Reuse.BY_LIVENESS, Binder.Fusion.STEPS);
  }

  /// @param team the thread and its helpers; like the block, this and other contexts use it in turn
  /// @param block memory for activations and scratch; both must outlive the context
  public ExecutionContext newContext(Team team, ScratchBlock block) {
    return new ExecutionContext(
        this, MemoryPlan.Reuse.BY_LIVENESS, Binder.Fusion.STEPS, team, block);
  }

  public ModelGraph graph() {
    return graph;
  }

  Map<String, Tensor> constants() {
    return constants;
  }

  /// The weights of the layer that an operator names.
  Optional<LayerWeights> weights(Op op) {
    return layerName(op).map(layers::get);
  }

  /// The layer that an operator names.
  static Optional<String> layerName(Op op) {
    return switch (op) {
      case Op.Linear linear -> Optional.of(linear.layer());
      case Op.Conv conv -> Optional.of(conv.layer());
      case Op.Embedding embedding -> Optional.of(embedding.layer());
      case Op.MatMul _, Op.Unary _, Op.Binary _, Op.Where _, Op.Softmax _ -> Optional.empty();
      case Op.LayerNorm _, Op.Reduce _, Op.Pool _, Op.Concat _, Op.Slice _ -> Optional.empty();
      case Op.Split _, Op.Gather _, Op.Reshape _, Op.Flatten _ -> Optional.empty();
      case Op.Transpose _, Op.Squeeze _, Op.Unsqueeze _, Op.Pad _ -> Optional.empty();
      case Op.Resize _, Op.Expand _, Op.Cast _, Op.ShapeOf _ -> Optional.empty();
      case Op.ConstantOfShape _, Op.Range _ -> Optional.empty();
    };
  }

  /// Kinds of layers that an operator may name.
  static List<Layer.Kind> layerKinds(Op op) {
    return switch (op) {
      case Op.Linear _ -> List.of(Layer.Kind.LINEAR);
      case Op.Conv _ -> List.of(Layer.Kind.CONV, Layer.Kind.DEPTHWISE);
      case Op.Embedding _ -> List.of(Layer.Kind.EMBEDDING);
      case Op _ -> List.of();
    };
  }
}
