package dev.strata.loadtest.report;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// One self-contained page: tables, and plots as inline SVG.
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
    figures.add(figure("Latency by percentile", charts.latencyByPercentile()));
    figures.add(figure("99th percentile over time", charts.latencyOverTime()));
    figures.add(figure("Offered, answered and in time", charts.goodputOverTime()));
    figures.add(figure("Widths served over time", charts.widthsOverTime()));
    return """
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><title>%1$s</title>
    <style>
    body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 68rem; padding: 0 1rem;
           color: #1b1f24; background: #fff; }
    table { border-collapse: collapse; width: 100%%; font-variant-numeric: tabular-nums; }
    th, td { padding: .25rem .6rem; border-bottom: 1px solid #d8dee4; text-align: right; }
    th:nth-child(-n+3), td:nth-child(-n+3) { text-align: left; }
    figure { margin: 2rem 0; } figcaption { font-weight: 600; } svg { width: 100%%; height: auto; }
    .bad { color: #a40e26; }
    </style></head><body>
    <h1>%1$s</h1>
    <p>%2$s</p>%3$s
    <table><thead><tr><th>call</th><th>via</th><th>asked</th><th>bits</th><th>answers</th><th>in time</th>
    <th>p50 ms</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th><th>queue</th><th>compute</th></tr></thead>
    <tbody>%4$s</tbody></table>
    %5$s
    </body></html>
    """
        .formatted(
            escape(summary.scenario()), overview(), trouble(), rows(), String.join("\n", figures));
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
                        .formatted(escape(entry.getKey()), entry.getValue()))
            .collect(Collectors.joining());
    String failed =
        summary.failed().entrySet().stream()
            .map(
                entry ->
                    "<li class=\"bad\">failed: %s &times; %d</li>"
                        .formatted(escape(entry.getKey()), entry.getValue()))
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
        escape(row.call()),
        row.protocol(),
        escape(row.wish()),
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

  private static String figure(String caption, String svg) {
    return "<figure><figcaption>%s</figcaption>%s</figure>".formatted(escape(caption), svg);
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
