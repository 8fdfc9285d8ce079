package dev.strata.loadtest.report;

import dev.strata.loadtest.report.RunSummary.Latency;
import dev.strata.loadtest.report.RunSummary.Second;
import java.io.IOException;
import java.util.List;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;

/// The plots of a run, as SVG elements.
final class Charts {
  private static final List<String> PERCENTILES = List.of("50", "90", "99", "99.9", "100");

  private final RunSummary summary;

  Charts(RunSummary summary) {
    this.summary = summary;
  }

  /// One line for each call and width; the distance of the percentiles says little, so they stand
  /// at equal steps.
  static String latencyByPercentile(List<RunSummary.Row> rows) throws IOException {
    Plot plot = new Plot("percentile", "ms from the intended start");
    if (rows.stream().allMatch(row -> row.latency().p50() > 0)) {
      plot.logarithmic();
    }
    plot.steps(PERCENTILES);
    for (RunSummary.Row row : rows) {
      Latency latency = row.latency();
      plot.line(
          "%s: %d bits".formatted(row.call(), row.bits()),
          new double[] {0, 1, 2, 3, 4},
          new double[] {
            latency.p50(), latency.p90(), latency.p99(), latency.p999(), latency.max()
          });
    }
    return plot.svg();
  }

  String latencyOverTime() throws IOException {
    Plot plot = new Plot("second of the run", "ms, 99th percentile");
    over(plot, "p99", Second::p99Millis);
    return plot.svg();
  }

  String goodputOverTime() throws IOException {
    Plot plot = new Plot("second of the run", "requests");
    over(plot, "offered", Second::offered);
    over(plot, "answered", Second::answered);
    over(plot, "in time", Second::inTime);
    over(plot, "refused", Second::refused);
    return plot.svg();
  }

  String widthsOverTime() throws IOException {
    Plot plot = new Plot("second of the run", "answers");
    TreeSet<Integer> widths = new TreeSet<>();
    summary.timeline().forEach(second -> widths.addAll(second.byBits().keySet()));
    for (int bits : widths.descendingSet()) {
      over(plot, bits + " bits", second -> second.byBits().getOrDefault(bits, 0L));
    }
    return plot.svg();
  }

  private void over(Plot plot, String name, ToDoubleFunction<Second> value) {
    List<Second> seconds = summary.timeline();
    if (!seconds.isEmpty()) {
      plot.line(
          name,
          seconds.stream().mapToDouble(Second::at).toArray(),
          seconds.stream().mapToDouble(value).toArray());
    }
  }
}
