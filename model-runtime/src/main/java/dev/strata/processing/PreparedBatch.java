package dev.strata.processing;

import dev.strata.graph.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Elements of one call that have the same graph shape and so run together.
///
/// @param graphInputs the graph's inputs; element i of the batch is row i
/// @param elements for each row, the index of the client's element it came from; empty when the
///     client's inputs were taken as they are and the outputs go back as they are
public record PreparedBatch(Map<String, Tensor> graphInputs, List<Integer> elements) {
  public PreparedBatch {
    graphInputs = Collections.unmodifiableMap(new LinkedHashMap<>(graphInputs));
    elements = List.copyOf(elements);
  }
}
