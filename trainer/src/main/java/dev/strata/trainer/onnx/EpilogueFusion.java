package dev.strata.trainer.onnx;

import dev.strata.graph.Activation;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Puts the addition of a residual and the activation that follow a weighted layer into the
/// layer: the native kernels do both while a result is still in registers.
final class EpilogueFusion {
  private final List<Node> nodes;
  private final Draft draft;

  private EpilogueFusion(Draft draft) {
    this.draft = draft;
    nodes = new ArrayList<>(draft.nodes());
  }

  static Draft apply(Draft draft) {
    EpilogueFusion fusion = new EpilogueFusion(draft);
    for (int at = 0; at < fusion.nodes.size(); at++) {
      while (fusion.fuse(at)) {
        at--;
      }
    }
    return draft.withNodes(fusion.nodes);
  }

  /// Fuses the node at an index into the layer before it.
  ///
  /// @return whether it did; the node is gone then, and the layer stands in its place, one
  ///     earlier
  private boolean fuse(int at) {
    if (at < 0) {
      return false;
    }
    Node node = nodes.get(at);
    return switch (node.op()) {
      case Op.Unary(Activation function) -> fuseActivation(at, node, function);
      case Op.Binary(Op.Binary.Function kind) when kind == Op.Binary.Function.ADD ->
          fuseResidual(at, node);
      default -> false;
    };
  }

  private boolean fuseActivation(int at, Node node, Activation function) {
    int layerAt = producer(node.inputs().getFirst());
    if (layerAt < 0
        || !activation(nodes.get(layerAt)).equals(Optional.of(Activation.IDENTITY))
        || !isUsedOnce(node.inputs().getFirst())) {
      return false;
    }
    Node layer = nodes.get(layerAt);
    replace(layerAt, at, fused(layer, function, layer.inputs(), node.outputs()));
    return true;
  }

  /// The later of two layers takes the other's result as its residual.
  private boolean fuseResidual(int at, Node node) {
    int left = residualLayer(node, 0);
    int right = residualLayer(node, 1);
    int layerAt = Math.max(left, right);
    if (layerAt < 0) {
      return false;
    }
    Node layer = nodes.get(layerAt);
    String other = node.inputs().get(layerAt == left ? 1 : 0);
    List<String> inputs = List.of(layer.inputs().getFirst(), other);
    replace(layerAt, at, fused(layer, Activation.IDENTITY, inputs, node.outputs()));
    return true;
  }

  /// @return index of the layer that makes an operand and can add the other one; else -1
  private int residualLayer(Node node, int operand) {
    String value = node.inputs().get(operand);
    String other = node.inputs().get(1 - operand);
    int layerAt = producer(value);
    boolean fits =
        layerAt >= 0
            && !value.equals(other)
            && activation(nodes.get(layerAt)).equals(Optional.of(Activation.IDENTITY))
            && nodes.get(layerAt).inputs().size() == 1
            && isUsedOnce(value)
            && draft.extents().containsKey(value)
            && !draft.constants().containsKey(other)
            && draft.extents().get(value).equals(draft.extents().get(other));
    return fits ? layerAt : -1;
  }

  /// The layer moves to the place of the node, so that all its inputs are there.
  private void replace(int layerAt, int nodeAt, Node fused) {
    nodes.set(nodeAt, fused);
    nodes.remove(layerAt);
  }

  private static Node fused(
      Node layer, Activation activation, List<String> inputs, List<String> outputs) {
    Op op =
        switch (layer.op()) {
          case Op.Linear linear -> new Op.Linear(linear.layer(), activation);
          case Op.Conv conv -> new Op.Conv(conv.layer(), conv.window(), conv.groups(), activation);
          default -> throw new IllegalArgumentException(layer.op() + " has no activation");
        };
    return new Node(layer.name(), op, inputs, outputs);
  }

  private static Optional<Activation> activation(Node node) {
    return switch (node.op()) {
      case Op.Linear linear -> Optional.of(linear.activation());
      case Op.Conv conv -> Optional.of(conv.activation());
      default -> Optional.empty();
    };
  }

  private int producer(String value) {
    for (int i = 0; i < nodes.size(); i++) {
      if (nodes.get(i).outputs().contains(value)) {
        return i;
      }
    }
    return -1;
  }

  private boolean isUsedOnce(String value) {
    long uses =
        nodes.stream().flatMap(node -> node.inputs().stream()).filter(value::equals).count();
    return uses == 1 && !draft.outputs().contains(value);
  }
}
