package dev.strata.loadtest.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/// Two runs of one scenario side by side.
///
/// @param lines one for each figure, as a table
/// @param worse the figures that got worse by more than the tolerance
public record Comparison(List<String> lines, List<String> worse) {

  public Comparison {
    lines = List.copyOf(lines);
    worse = List.copyOf(worse);
  }

  /// @param tolerance share by which a figure may be worse, 0.1 for 10 %
  public static Comparison of(RunSummary before, RunSummary after, double tolerance) {
    List<String> lines = new ArrayList<>();
    List<String> worse = new ArrayList<>();
    lines.add(line("figure", "before", "after", "ratio"));
    // Goodput may rise, latencies may fall.
    compare("goodput/s", before.goodput(), after.goodput(), -1, tolerance, lines, worse);
    for (RunSummary.Row row : before.rows()) {
      Optional<RunSummary.Row> other =
          after.rows().stream()
              .filter(candidate -> candidate.call().equals(row.call()))
              .filter(candidate -> candidate.bits() == row.bits())
              .findFirst();
      String name = "%s, %d bits".formatted(row.call(), row.bits());
      if (other.isEmpty()) {
        lines.add(line(name, Long.toString(row.answered()), "no answers", ""));
        continue;
      }
      latency(name + " p50 ms", row, other.get(), RunSummary.Latency::p50, tolerance, lines, worse);
      latency(name + " p99 ms", row, other.get(), RunSummary.Latency::p99, tolerance, lines, worse);
    }
    return new Comparison(lines, worse);
  }

  private static void latency(
      String name,
      RunSummary.Row before,
      RunSummary.Row after,
      ToDoubleFunction<RunSummary.Latency> percentile,
      double tolerance,
      List<String> lines,
      List<String> worse) {
    double was = percentile.applyAsDouble(before.latency());
    double is = percentile.applyAsDouble(after.latency());
    compare(name, was, is, 1, tolerance, lines, worse);
  }

  /// @param sign 1 if more is worse, -1 if less is
  private static void compare(
      String name,
      double was,
      double is,
      int sign,
      double tolerance,
      List<String> lines,
      List<String> worse) {
    double ratio = was == 0 ? 1 : is / was;
    lines.add(
        line(
            name,
            String.format(Locale.ROOT, "%.2f", was),
            String.format(Locale.ROOT, "%.2f", is),
            String.format(Locale.ROOT, "%.2f", ratio)));
    if (sign * (ratio - 1) > tolerance) {
      worse.add(String.format(Locale.ROOT, "%s: %.2f -> %.2f", name, was, is));
    }
  }

  private static String line(String name, String before, String after, String ratio) {
    return String.format(Locale.ROOT, "%-40s %12s %12s %8s", name, before, after, ratio);
  }
}
