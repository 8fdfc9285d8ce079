package dev.strata.trainer.quantize;

import dev.strata.graph.MemoryTensors;
import dev.strata.graph.ModelGraph;
import dev.strata.precision.PrecisionProfile;
import java.util.List;

/// A network whose weights are stored in planes: what an artifact holds. The receiver closes the
/// tensors.
///
/// @param profiles 1 to 8 bits, ascending
public record LayeredNetwork(
    ModelGraph graph, MemoryTensors tensors, List<PrecisionProfile> profiles) {
  public LayeredNetwork {
    profiles = List.copyOf(profiles);
  }
}
