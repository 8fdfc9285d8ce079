package dev.strata.processing;

import dev.strata.graph.Tensor;
import java.util.List;
import java.util.Map;

/// Client inputs to graph inputs. Safe for use by many threads.
sealed interface InputPreparation extends AutoCloseable
    permits UnchangedInputs, TextPreparation, ImagePreparation {

  /// @param inputs client inputs; names are already checked against the signature
  /// @throws RejectedInputException if an input does not fit
  List<PreparedBatch> prepare(Map<String, Tensor> inputs);

  @Override
  default void close() {}
}
