package dev.strata.gateway.console;

import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/// What a server has and does at one moment, in one document. Counts only grow, so that a
/// reader can take differences.
///
/// @param latency_bounds_us upper bounds of the buckets of [Width#answered_within]
record Snapshot(Server server, List<Long> latency_bounds_us, List<Model> models) {

  /// @param isa instruction set of the kernels
  record Server(String isa, boolean ready, Queue queue) {}

  /// @param predicted_wait_us until all that waits and runs is done
  record Queue(int depth, int capacity, long predicted_wait_us) {}

  /// @param version empty for a model that was never loaded
  /// @param reason why it is not ready, or why it has no more widths
  /// @param labels names that stand for this version
  /// @param default_bits 0 while it is not ready
  /// @param plane_bytes weight planes in memory
  /// @param brown_out_level 0 (calm) to 9
  /// @param failed requests without an answer
  record Model(
      String name,
      String version,
      @Schema(description = "known, loading, ready, failed, unloading or unloaded") String state,
      String reason,
      List<String> labels,
      int default_bits,
      long plane_bytes,
      int brown_out_level,
      long failed,
      List<Width> widths) {}

  /// @param bytes length of the file prefix; 0 for a width that is not resident
  /// @param quality metric name to value
  /// @param answered requests
  /// @param compute_us of all of them
  /// @param answered_within requests by the time from decoding to the answer, cumulative
  record Width(
      int bits,
      @Schema(description = "resident, arriving or evicted") String state,
      long bytes,
      Map<String, Double> quality,
      long answered,
      long compute_us,
      List<Long> answered_within) {}
}
