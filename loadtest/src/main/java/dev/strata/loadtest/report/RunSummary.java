package dev.strata.loadtest.report;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Map;

/// A run in figures; what the JSON file holds and what two runs are compared by.
///
/// @param seconds that were measured, the warm-up left out
/// @param sent requests sent in that time
/// @param notSent requests due that the bound on requests in flight held back
/// @param answered how many were answered at all
/// @param inTime how many of them within the deadline
/// @param refused by code
/// @param failed by what went wrong; wrong answers are here too
/// @param rows one for each call and width served
/// @param timeline one for each second
public record RunSummary(
    String scenario,
    @JsonProperty("deadline_ms") double deadlineMillis,
    double seconds,
    long sent,
    @JsonProperty("not_sent") long notSent,
    long answered,
    @JsonProperty("in_time") long inTime,
    Map<String, Long> refused,
    Map<String, Long> failed,
    List<Row> rows,
    List<Second> timeline) {

  /// @param call name in the scenario
  /// @param wish the precision asked for
  /// @param bits the width served
  /// @param latency from the intended start, milliseconds
  public record Row(
      String call,
      String protocol,
      String wish,
      int bits,
      long answered,
      @JsonProperty("in_time") long inTime,
      Latency latency,
      @JsonProperty("mean_queue_ms") double meanQueueMillis,
      @JsonProperty("mean_compute_ms") double meanComputeMillis) {}

  /// Milliseconds at percentiles.
  public record Latency(double mean, double p50, double p90, double p99, double p999, double max) {}

  /// @param at seconds from the beginning of the run
  /// @param offered requests due
  /// @param byBits answers by width served
  public record Second(
      int at,
      long offered,
      long answered,
      @JsonProperty("in_time") long inTime,
      long refused,
      @JsonProperty("p99_ms") double p99Millis,
      @JsonProperty("by_bits") Map<Integer, Long> byBits) {}

  public RunSummary {
    refused = Map.copyOf(refused);
    failed = Map.copyOf(failed);
    rows = List.copyOf(rows);
    timeline = List.copyOf(timeline);
  }

  /// Answers within the deadline a second.
  public double goodput() {
    return seconds == 0 ? 0 : inTime / seconds;
  }

  public long refusedTotal() {
    return refused.values().stream().mapToLong(Long::longValue).sum();
  }

  public long failedTotal() {
    return failed.values().stream().mapToLong(Long::longValue).sum();
  }
}
