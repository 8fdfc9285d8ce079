package dev.strata.loadtest.report;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// A run as a page.
public final class HtmlReport {
  private final RunSummary summary;

  private HtmlReport(RunSummary summary) {
    this.summary = summary;
  }

  public static void write(Path file, RunSummary summary) throws IOException {
    Files.writeString(file, new HtmlReport(summary).page(), UTF_8);
  }

  private String page() throws IOException {
    Charts charts = new Charts(summary);
    List<String> figures = new ArrayList<>();
    figures.add(
        HtmlPage.figure("Latency by percentile", Charts.latencyByPercentile(summary.rows())));
    figures.add(HtmlPage.figure("99th percentile over time", charts.latencyOverTime()));
    figures.add(HtmlPage.figure("Offered, answered and in time", charts.goodputOverTime()));
    figures.add(HtmlPage.figure("Widths served over time", charts.widthsOverTime()));
    return HtmlPage.of(
        summary.scenario(),
        """
        <p>%s</p>%s
        <table><thead><tr><th>call</th><th>via</th><th>asked</th><th>bits</th><th>answers</th>
        <th>in time</th><th>p50 ms</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th>
        <th>queue</th><th>compute</th></tr></thead><tbody>%s</tbody></table>
        %s
        """
            .formatted(overview(), trouble(), rows(), String.join("\n", figures)));
  }

  private String overview() {
    return String.format(
        Locale.ROOT,
        "%.0f seconds: %d requests sent, %d answered, %d within %s, that is %.1f a second;"
            + " %d refused, %d failed, %d not sent.",
        summary.seconds(),
        summary.sent(),
        summary.answered(),
        summary.inTime(),
        Double.isInfinite(summary.deadlineMillis()) ? "any time" : summary.deadlineMillis() + " ms",
        summary.goodput(),
        summary.refusedTotal(),
        summary.failedTotal(),
        summary.notSent());
  }

  private String trouble() {
    String refused =
        summary.refused().entrySet().stream()
            .map(
                entry ->
                    "<li>refused: %s &times; %d</li>"
                        .formatted(HtmlPage.escape(entry.getKey()), entry.getValue()))
            .collect(Collectors.joining());
    String failed =
        summary.failed().entrySet().stream()
            .map(
                entry ->
                    "<li class=\"bad\">failed: %s &times; %d</li>"
                        .formatted(HtmlPage.escape(entry.getKey()), entry.getValue()))
            .collect(Collectors.joining());
    return refused.isEmpty() && failed.isEmpty() ? "" : "<ul>" + refused + failed + "</ul>";
  }

  private String rows() {
    return summary.rows().stream().map(HtmlReport::row).collect(Collectors.joining("\n"));
  }

  private static String row(RunSummary.Row row) {
    RunSummary.Latency latency = row.latency();
    return String.format(
        Locale.ROOT,
        "<tr><td>%s</td><td>%s</td><td>%s</td><td>%d</td><td>%d</td><td>%d</td><td>%.2f</td>"
            + "<td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td></tr>",
        HtmlPage.escape(row.call()),
        row.protocol(),
        HtmlPage.escape(row.wish()),
        row.bits(),
        row.answered(),
        row.inTime(),
        latency.p50(),
        latency.p90(),
        latency.p99(),
        latency.p999(),
        latency.max(),
        row.meanQueueMillis(),
        row.meanComputeMillis());
  }
}
