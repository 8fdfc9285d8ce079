package dev.strata.trainer.onnx;

import dev.strata.trainer.onnx.ValueFacts.ElementType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reshapes whose computed shape says no more than "this dimension stays" get a constant shape,
/// so that the nodes which computed it go away.
final class ReshapeSimplification implements Pass {
  @Override
  public void run(Network network) {
    Map<String, ValueFacts> facts = FactInference.infer(network);
    for (OnnxNode node : network.nodes()) {
      if (node.is("Reshape") && network.constant(node.input(1)).isEmpty()) {
        constantShape(node, facts)
            .ifPresent(
                shape -> {
                  String name = network.addConstant(node.name() + "@shape", Tensors.wholes(shape));
                  network.replace(node, node.withInputs(List.of(node.input(0), name)));
                });
      }
    }
  }

  private static Optional<List<Long>> constantShape(OnnxNode node, Map<String, ValueFacts> facts) {
    Optional<List<Extent>> in = facts.get(node.input(0)).extents();
    Optional<List<Extent>> out = facts.get(node.output()).extents();
    ValueFacts shape = facts.get(node.input(1));
    boolean followed = shape.type() == ElementType.WHOLE && shape.elements().isPresent();
    if (in.isEmpty() || out.isEmpty() || !followed || node.attributes().flag("allowzero", false)) {
      return Optional.empty();
    }
    List<Long> result = new ArrayList<>();
    for (int axis = 0; axis < out.get().size(); axis++) {
      Extent extent = out.get().get(axis);
      boolean stays = axis < in.get().size() && extent.equals(in.get().get(axis));
      result.add(extent.isKnown() ? extent.size() : stays ? 0L : -1L);
      if (extent.is(0)) {
        return Optional.empty();
      }
    }
    return result.stream().filter(size -> size == -1).count() <= 1
        ? Optional.of(result)
        : Optional.empty();
  }
}
