package dev.strata.model;

import dev.strata.graph.Tensor;
import dev.strata.processing.MergedBatch;
import dev.strata.processing.ModelProcessing;
import dev.strata.processing.PreparedBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Sorts what the merged batches of several requests gave back to the requests.
final class BatchResults {

  private final List<List<PreparedBatch>> batches = new ArrayList<>();
  private final List<List<Map<String, Tensor>>> outputs = new ArrayList<>();

  BatchResults(List<PreparedInput> requests) {
    for (PreparedInput request : requests) {
      batches.add(new ArrayList<>(request.batches()));
      List<Map<String, Tensor>> missing = new ArrayList<>();
      request.batches().forEach(batch -> missing.add(Map.of()));
      outputs.add(missing);
    }
  }

  /// @param graphOutputs one map per part
  void put(List<MergedBatch.Part> parts, List<Map<String, Tensor>> graphOutputs) {
    for (int i = 0; i < parts.size(); i++) {
      MergedBatch.Part part = parts.get(i);
      // The part may have been padded; the outputs have its shape.
      batches.get(part.call()).set(part.batch(), part.prepared());
      outputs.get(part.call()).set(part.batch(), graphOutputs.get(i));
    }
  }

  /// @return client outputs, one map per request
  List<Map<String, Tensor>> finish(ModelProcessing processing) {
    List<Map<String, Tensor>> finished = new ArrayList<>();
    for (int i = 0; i < batches.size(); i++) {
      finished.add(processing.finish(batches.get(i), outputs.get(i)));
    }
    return finished;
  }
}
