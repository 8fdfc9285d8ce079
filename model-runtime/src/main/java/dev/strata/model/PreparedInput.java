package dev.strata.model;

import dev.strata.processing.PreparedBatch;
import java.util.List;

/// One request's inputs as the network takes them.
public final class PreparedInput {

  private final List<PreparedBatch> batches;

  PreparedInput(List<PreparedBatch> batches) {
    this.batches = List.copyOf(batches);
  }

  List<PreparedBatch> batches() {
    return batches;
  }
}
