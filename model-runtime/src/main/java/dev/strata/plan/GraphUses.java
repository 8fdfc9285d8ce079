package dev.strata.plan;

import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Who reads the values of a graph.
final class GraphUses {

  /// One operand of one node.
  record Use(Node node, int operand) {}

  private final Map<String, List<Use>> uses = new HashMap<>();
  private final Set<String> outputs;

  GraphUses(ModelGraph graph) {
    outputs = new HashSet<>(graph.outputs());
    for (Node node : graph.nodes()) {
      for (int operand = 0; operand < node.inputs().size(); operand++) {
        uses.computeIfAbsent(node.inputs().get(operand), _ -> new ArrayList<>())
            .add(new Use(node, operand));
      }
    }
  }

  List<Use> of(String value) {
    return uses.getOrDefault(value, List.of());
  }

  boolean isOutput(String value) {
    return outputs.contains(value);
  }

  /// The one reader of a value that nothing else reads.
  Optional<Use> only(String value) {
    List<Use> all = of(value);
    return all.size() == 1 && !isOutput(value) ? Optional.of(all.getFirst()) : Optional.empty();
  }
}
