package dev.strata.trainer.quantize;

import dev.strata.graph.Layer;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The weighted layers of a graph in execution order, each with the first node that uses it.
///
/// @param nodes layer name to node
record LayerRoles(ModelGraph graph, Map<String, Node> nodes) {

  static LayerRoles of(ModelGraph graph) {
    Map<String, Node> nodes = new LinkedHashMap<>();
    for (Node node : graph.nodes()) {
      layerOf(node.op()).ifPresent(layer -> nodes.putIfAbsent(layer, node));
    }
    return new LayerRoles(graph, nodes);
  }

  private static Optional<String> layerOf(Op op) {
    if (op instanceof Op.Linear linear) {
      return Optional.of(linear.layer());
    }
    if (op instanceof Op.Conv conv) {
      return Optional.of(conv.layer());
    }
    if (op instanceof Op.Embedding embedding) {
      return Optional.of(embedding.layer());
    }
    return Optional.empty();
  }

  /// First and last do not count embeddings: they have a role of their own.
  Set<QuantizationSettings.Role> roles(Layer layer) {
    Set<QuantizationSettings.Role> roles = EnumSet.noneOf(QuantizationSettings.Role.class);
    switch (layer.kind()) {
      case EMBEDDING -> roles.add(QuantizationSettings.Role.EMBEDDING);
      case DEPTHWISE -> roles.add(QuantizationSettings.Role.DEPTHWISE);
      case LINEAR, CONV -> {}
    }
    List<String> computing =
        nodes.keySet().stream()
            .filter(name -> graph.layer(name).kind() != Layer.Kind.EMBEDDING)
            .toList();
    if (!computing.isEmpty() && computing.getFirst().equals(layer.name())) {
      roles.add(QuantizationSettings.Role.FIRST);
    }
    if (!computing.isEmpty() && computing.getLast().equals(layer.name())) {
      roles.add(QuantizationSettings.Role.LAST);
    }
    return roles;
  }
}
