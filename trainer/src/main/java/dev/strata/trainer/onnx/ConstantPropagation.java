package dev.strata.trainer.onnx;

import dev.strata.graph.ConstantFolding;
import dev.strata.graph.Node;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.trainer.onnx.ValueFacts.ElementType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// Computes what depends on constants alone, and shape numbers that are the same in every run.
final class ConstantPropagation implements Pass {
  @Override
  public void run(Network network) {
    Map<String, ValueFacts> facts = FactInference.infer(network);
    for (OnnxNode node : network.nodes()) {
      List<Tensor> results = fromFacts(node, facts).or(() -> evaluate(node, network)).orElse(List.of());
      if (!results.isEmpty()) {
        for (int i = 0; i < results.size(); i++) {
          network.setConstant(node.outputs().get(i), results.get(i));
        }
        network.remove(node);
      }
    }
  }

  private static Optional<List<Tensor>> fromFacts(OnnxNode node, Map<String, ValueFacts> facts) {
    ValueFacts result = facts.get(node.output());
    boolean isKnown =
        node.outputs().size() == 1
            && result.type() != ElementType.REAL
            && result.extents().filter(ConstantPropagation::allKnown).isPresent()
            && result.elements().filter(ConstantPropagation::allKnown).isPresent();
    return isKnown
        ? Optional.of(
            List.of(
                Tensor.of(
                    new Shape(sizes(result.extents().orElseThrow())),
                    sizes(result.elements().orElseThrow()).stream()
                        .mapToLong(Long::longValue)
                        .toArray())))
        : Optional.empty();
  }

  private static boolean allKnown(List<Extent> extents) {
    return extents.stream().allMatch(Extent::isKnown);
  }

  private static List<Long> sizes(List<Extent> extents) {
    return extents.stream().map(Extent::size).toList();
  }

  /// Lowers the node alone and runs what comes of it on the host.
  private static Optional<List<Tensor>> evaluate(OnnxNode node, Network network) {
    boolean isConstant =
        !node.inputs().isEmpty()
            && node.inputs().stream()
                .allMatch(input -> input.isEmpty() || network.constant(input).isPresent());
    if (!isConstant || node.is("Conv") || node.is(OnnxNode.FULLY_CONNECTED)) {
      return Optional.empty();
    }
    Map<String, Tensor> inputs =
        node.inputs().stream()
            .filter(input -> !input.isEmpty())
            .distinct()
            .collect(
                Collectors.toMap(input -> input, input -> network.constant(input).orElseThrow()));
    Draft draft;
    try {
      draft =
          Lowering.lower(
              new Network(network.opset(), Map.of(), node.outputs(), List.of(node), inputs));
    } catch (ModelImportException laterReported) {
      return Optional.empty();
    }
    return run(draft);
  }

  private static Optional<List<Tensor>> run(Draft draft) {
    Map<String, Tensor> values = new HashMap<>(draft.constants());
    for (Node node : draft.nodes()) {
      Optional<List<Tensor>> results =
          ConstantFolding.evaluate(node.op(), node.inputs().stream().map(values::get).toList());
      if (results.isEmpty()) {
        return Optional.empty();
      }
      for (int i = 0; i < node.outputs().size(); i++) {
        values.put(node.outputs().get(i), results.get().get(i));
      }
    }
    List<Tensor> outputs = new ArrayList<>();
    draft.outputs().forEach(name -> outputs.add(values.get(name)));
    return Optional.of(outputs);
  }
}
