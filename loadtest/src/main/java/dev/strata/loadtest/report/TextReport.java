package dev.strata.loadtest.report;

import java.util.Locale;

/// A summary as the terminal shows it.
public final class TextReport {
  private TextReport() {}

  public static String of(RunSummary summary) {
    StringBuilder text = new StringBuilder();
    line(
        text,
        "%s: %.0f s, %d sent, %d answered (%d in time, %.1f/s), %d refused, %d failed, %d not sent",
        summary.scenario(),
        summary.seconds(),
        summary.sent(),
        summary.answered(),
        summary.inTime(),
        summary.goodput(),
        summary.refusedTotal(),
        summary.failedTotal(),
        summary.notSent());
    text.append(trouble(summary));
    if (!summary.rows().isEmpty()) {
      line(
          text,
          "%-24s %-5s %-22s %4s %9s %8s %8s %8s %8s %8s %9s %9s",
          "call",
          "via",
          "asked",
          "bits",
          "answers",
          "p50 ms",
          "p90",
          "p99",
          "p99.9",
          "max",
          "queue ms",
          "compute");
    }
    for (RunSummary.Row row : summary.rows()) {
      RunSummary.Latency latency = row.latency();
      line(
          text,
          "%-24s %-5s %-22s %4d %9d %8.2f %8.2f %8.2f %8.2f %8.2f %9.2f %9.2f",
          row.call(),
          row.protocol(),
          row.wish(),
          row.bits(),
          row.answered(),
          latency.p50(),
          latency.p90(),
          latency.p99(),
          latency.p999(),
          latency.max(),
          row.meanQueueMillis(),
          row.meanComputeMillis());
    }
    return text.toString();
  }

  /// A line for each reason for which requests were refused or failed.
  public static String trouble(RunSummary summary) {
    StringBuilder text = new StringBuilder();
    summary.refused().forEach((code, count) -> line(text, "  refused: %s x %d", code, count));
    summary.failed().forEach((what, count) -> line(text, "  FAILED: %s x %d", what, count));
    return text.toString();
  }

  private static void line(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values).stripTrailing()).append('\n');
  }
}
