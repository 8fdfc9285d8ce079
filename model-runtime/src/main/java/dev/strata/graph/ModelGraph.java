package dev.strata.graph;

import java.util.List;

/// The network: operators in execution order. A value is known by its name; each is written once.
///
/// @param inputs FP32 or INT64; -1 for variable dimensions
/// @param outputs names of the values the graph yields
public record ModelGraph(
    List<TensorSpec> inputs,
    List<String> outputs,
    List<Node> nodes,
    List<Constant> constants,
    List<Layer> layers) {
  public ModelGraph {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    nodes = List.copyOf(nodes);
    constants = List.copyOf(constants);
    layers = List.copyOf(layers);
  }

  public Layer layer(String name) {
    return layers.stream()
        .filter(layer -> layer.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("graph has no layer '" + name + "'"));
  }
}
