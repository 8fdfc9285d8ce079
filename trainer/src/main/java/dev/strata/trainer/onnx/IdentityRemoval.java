package dev.strata.trainer.onnx;

import dev.strata.trainer.onnx.ValueFacts.ElementType;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/// Takes out nodes that change nothing: Identity, Dropout, `x * 1`, `x + 0` and the like.
final class IdentityRemoval implements Pass {
  @Override
  public void run(Network network) {
    Map<String, ValueFacts> facts = FactInference.infer(network);
    for (OnnxNode seen : network.nodes()) {
      // An earlier removal may have renamed this node's inputs.
      OnnxNode node = network.producer(seen.output()).orElse(seen);
      same(node, network, facts).ifPresent(value -> remove(network, node, value));
    }
  }

  /// The input that the node's output is equal to.
  private static Optional<String> same(
      OnnxNode node, Network network, Map<String, ValueFacts> facts) {
    return switch (node.type()) {
      case "Identity", "Dropout" -> Optional.of(node.input(0));
      case "Mul" -> neutral(node, network, facts, 0, 1).or(() -> neutral(node, network, facts, 1, 1));
      case "Add" -> neutral(node, network, facts, 0, 0).or(() -> neutral(node, network, facts, 1, 0));
      case "Div" -> neutral(node, network, facts, 1, 1);
      case "Sub" -> neutral(node, network, facts, 1, 0);
      default -> Optional.empty();
    };
  }

  /// The other operand, if operand `index` is the neutral number and does not change the shape.
  private static Optional<String> neutral(
      OnnxNode node, Network network, Map<String, ValueFacts> facts, int index, int number) {
    String other = node.input(1 - index);
    ValueFacts from = facts.get(other);
    boolean isNeutral =
        network.scalar(node.input(index)).equals(OptionalDouble.of(number))
            && from != null
            && from.type() == ElementType.REAL
            && from.extents().isPresent()
            && from.extents().equals(facts.get(node.output()).extents());
    return isNeutral ? Optional.of(other) : Optional.empty();
  }

  /// Node and output name go; an output of the network moves to the node that makes its value.
  private static void remove(Network network, OnnxNode gone, String source) {
    String output = gone.output();
    if (!network.outputs().contains(output)) {
      network.remove(gone);
      network.redirect(output, source);
      return;
    }
    boolean canMove = network.producer(source).isPresent() && !network.outputs().contains(source);
    if (canMove) {
      network.remove(gone);
      network.rename(source, output);
    } else if (!gone.is("Identity")) {
      network.replace(
          gone,
          new OnnxNode(gone.name(), "Identity", List.of(source), List.of(output), Attributes.NONE));
    }
  }
}
