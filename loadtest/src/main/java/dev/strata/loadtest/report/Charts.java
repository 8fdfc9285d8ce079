package dev.strata.loadtest.report;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.strata.loadtest.report.RunSummary.Latency;
import dev.strata.loadtest.report.RunSummary.Second;
import java.awt.Color;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/// The plots of a report, as SVG elements.
final class Charts {
  private static final int WIDTH = 960;
  private static final int HEIGHT = 360;
  private static final String[] PERCENTILES = {"50", "90", "99", "99.9", "100"};

  private final RunSummary summary;

  Charts(RunSummary summary) {
    this.summary = summary;
  }

  /// One line for each call and width; the distance of the percentiles says little, so they stand
  /// at equal steps.
  String latencyByPercentile() throws IOException {
    XYChart chart = chart("percentile", "ms from the intended start");
    chart.getStyler().setYAxisLogarithmic(positive());
    chart.setCustomXAxisTickLabelsFormatter(
        at ->
            at == Math.rint(at) && at >= 0 && at < PERCENTILES.length
                ? PERCENTILES[at.intValue()]
                : "");
    for (RunSummary.Row row : summary.rows()) {
      Latency latency = row.latency();
      line(
          chart,
          "%s: %d bits".formatted(row.call(), row.bits()),
          new double[] {0, 1, 2, 3, 4},
          new double[] {
            latency.p50(), latency.p90(), latency.p99(), latency.p999(), latency.max()
          });
    }
    return svg(chart);
  }

  String latencyOverTime() throws IOException {
    XYChart chart = chart("second of the run", "ms, 99th percentile");
    over(chart, "p99", Second::p99Millis);
    return svg(chart);
  }

  String goodputOverTime() throws IOException {
    XYChart chart = chart("second of the run", "requests");
    over(chart, "offered", Second::offered);
    over(chart, "answered", Second::answered);
    over(chart, "in time", Second::inTime);
    over(chart, "refused", Second::refused);
    return svg(chart);
  }

  String widthsOverTime() throws IOException {
    XYChart chart = chart("second of the run", "answers");
    TreeSet<Integer> widths = new TreeSet<>();
    summary.timeline().forEach(second -> widths.addAll(second.byBits().keySet()));
    for (int bits : widths.descendingSet()) {
      over(chart, bits + " bits", second -> second.byBits().getOrDefault(bits, 0L));
    }
    return svg(chart);
  }

  private boolean positive() {
    return summary.rows().stream().allMatch(row -> row.latency().p50() > 0);
  }

  private void over(XYChart chart, String name, ToDoubleFunction<Second> value) {
    List<Second> seconds = summary.timeline();
    if (!seconds.isEmpty()) {
      line(
          chart,
          name,
          seconds.stream().mapToDouble(Second::at).toArray(),
          seconds.stream().mapToDouble(value).toArray());
    }
  }

  private static void line(XYChart chart, String name, double[] x, double[] y) {
    chart.addSeries(name, x, y).setMarker(SeriesMarkers.CIRCLE);
  }

  private static XYChart chart(String x, String y) {
    XYChart chart =
        new XYChartBuilder().width(WIDTH).height(HEIGHT).xAxisTitle(x).yAxisTitle(y).build();
    chart
        .getStyler()
        .setLegendPosition(Styler.LegendPosition.OutsideE)
        .setChartBackgroundColor(Color.WHITE)
        .setPlotBorderVisible(false);
    chart.getStyler().setMarkerSize(4);
    return chart;
  }

  private static String svg(XYChart chart) throws IOException {
    if (chart.getSeriesMap().isEmpty()) {
      return "<p>no answers</p>";
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    VectorGraphicsEncoder.saveVectorGraphic(chart, bytes, VectorGraphicsFormat.SVG);
    String document = bytes.toString(UTF_8);
    return document.substring(document.indexOf("<svg"));
  }
}
