package dev.strata.trainer.training;

import dev.strata.graph.Constant;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Tensor;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A network before it is trained.
///
/// @param fixed values of constants that stay as they are; all others are learned
record TrainableGraph(ModelGraph graph, Map<String, Tensor> fixed) {
  TrainableGraph {
    fixed = Collections.unmodifiableMap(new TreeMap<>(fixed));
  }

  List<Constant> learned() {
    return graph.constants().stream().filter(one -> !fixed.containsKey(one.name())).toList();
  }
}
