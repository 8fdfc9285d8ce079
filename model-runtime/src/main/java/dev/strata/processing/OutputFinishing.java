package dev.strata.processing;

import dev.strata.graph.Tensor;
import java.util.Map;

/// Graph outputs of one batch to client outputs. Safe for use by many threads.
sealed interface OutputFinishing
    permits UnchangedOutputs, SoftmaxFinishing, MeanPooling, LabelChoice, GreedyCtc {

  Map<String, Tensor> finish(PreparedBatch batch, Map<String, Tensor> graphOutputs);

  static Tensor require(Map<String, Tensor> outputs, String name, int rank) {
    Tensor output = outputs.get(name);
    if (output == null) {
      throw new IllegalArgumentException(
          "graph output '%s': missing, got %s".formatted(name, outputs.keySet()));
    }
    if (output.shape().rank() != rank) {
      throw new IllegalArgumentException(
          "graph output '%s': got shape %s, expected rank %d"
              .formatted(name, output.shape(), rank));
    }
    return output;
  }
}
