package dev.strata.graph;

import java.util.List;

/// One operator with the names of the values it reads and writes.
public record Node(String name, Op op, List<String> inputs, List<String> outputs) {
  public Node {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
  }
}
