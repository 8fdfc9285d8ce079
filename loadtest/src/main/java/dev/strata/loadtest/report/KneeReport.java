package dev.strata.loadtest.report;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.strata.loadtest.report.KneeFigures.Knee;
import dev.strata.loadtest.report.KneeFigures.Trial;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// Knees as a line of text each, and as a page.
public final class KneeReport {
  private static final String COLUMNS = "%-28s %-16s %12s %5s %10s %10s";

  private final KneeFigures figures;

  private KneeReport(KneeFigures figures) {
    this.figures = figures;
  }

  public static String heading() {
    return COLUMNS.formatted("call", "asked", "requests/s", "bits", "p50 ms", "p99 ms");
  }

  public static String line(Knee knee) {
    Optional<RunSummary.Row> row = knee.best().usual();
    return COLUMNS.formatted(
        knee.target(),
        knee.wish(),
        number(Optional.of(knee.rate())),
        row.map(answers -> Integer.toString(answers.bits())).orElse("-"),
        number(row.map(answers -> answers.latency().p50())),
        number(knee.best().p99Millis()));
  }

  public static void write(Path file, KneeFigures figures) throws IOException {
    Files.writeString(file, new KneeReport(figures).page(), UTF_8);
  }

  private String page() throws IOException {
    List<RunSummary.Row> atTheKnees =
        figures.knees().stream().flatMap(knee -> knee.best().usual().stream()).toList();
    return HtmlPage.of(
        "%s: knees".formatted(figures.scenario()),
        """
        <p>The highest rate at which everything was answered and the 99th percentile stayed within
        %.1f ms, Poisson arrivals, each call alone.</p>
        <table><thead><tr><th>call</th><th>asked</th><th>bits</th><th>requests/s</th><th>p50 ms</th>
        <th>p99</th><th>queue</th><th>compute</th></tr></thead><tbody>%s</tbody></table>
        %s
        %s
        %s
        """
            .formatted(
                figures.p99Millis(),
                figures.knees().stream().map(KneeReport::row).collect(Collectors.joining("\n")),
                HtmlPage.figure("Knee by width", ratesByWidth()),
                HtmlPage.figure("99th percentile by rate", latencyByRate()),
                HtmlPage.figure(
                    "Latency by percentile at the knee", Charts.latencyByPercentile(atTheKnees))));
  }

  private String ratesByWidth() throws IOException {
    Map<String, Map<Integer, Double>> targets = new LinkedHashMap<>();
    for (Knee knee : figures.knees()) {
      knee.best()
          .usual()
          .ifPresent(
              row ->
                  targets
                      .computeIfAbsent(knee.target(), _ -> new LinkedHashMap<>())
                      .put(row.bits(), knee.rate()));
    }
    Plot plot = new Plot("bits", "requests a second");
    targets.forEach(
        (target, rates) -> {
          List<Integer> widths = rates.keySet().stream().sorted(Comparator.naturalOrder()).toList();
          plot.line(
              target,
              widths.stream().mapToDouble(Integer::doubleValue).toArray(),
              widths.stream().mapToDouble(rates::get).toArray());
        });
    return plot.svg();
  }

  private String latencyByRate() throws IOException {
    Plot plot = new Plot("requests a second", "ms, 99th percentile");
    plot.logarithmic();
    double highest = 0;
    for (Knee knee : figures.knees()) {
      List<Trial> trials =
          knee.trials().stream()
              .filter(trial -> trial.p99Millis().filter(millis -> millis > 0).isPresent())
              .toList();
      if (!trials.isEmpty()) {
        plot.line(
            "%s, %s".formatted(knee.target(), knee.wish()),
            trials.stream().mapToDouble(Trial::rate).toArray(),
            trials.stream().mapToDouble(trial -> trial.p99Millis().orElseThrow()).toArray());
        highest = Math.max(highest, trials.getLast().rate());
      }
    }
    if (highest > 0) {
      double target = figures.p99Millis();
      plot.line("target", new double[] {0, highest}, new double[] {target, target});
    }
    return plot.svg();
  }

  private static String row(Knee knee) {
    Optional<RunSummary.Row> row = knee.best().usual();
    return ("<tr>" + "<td>%s</td>".repeat(8) + "</tr>")
        .formatted(
            HtmlPage.escape(knee.target()),
            HtmlPage.escape(knee.wish()),
            row.map(answers -> Integer.toString(answers.bits())).orElse("-"),
            number(Optional.of(knee.rate())),
            number(row.map(answers -> answers.latency().p50())),
            number(knee.best().p99Millis()),
            number(row.map(RunSummary.Row::meanQueueMillis)),
            number(row.map(RunSummary.Row::meanComputeMillis)));
  }

  private static String number(Optional<Double> value) {
    return value.map(known -> String.format(Locale.ROOT, "%.2f", known)).orElse("-");
  }
}
