package dev.strata.bench;

import java.awt.Color;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/// The charts, as SVG files.
final class Charts {

  /// A measured case.
  ///
  /// @param intensity multiply-adds per byte
  /// @param rate 10^9 multiply-adds per second
  record Point(double intensity, double rate) {}

  private Charts() {}

  /// Cases under the limits of the processor.
  static void roofline(Path file, String title, Machine machine, Map<String, List<Point>> points)
      throws IOException {
    XYChart chart = chart(title, "multiply-adds per byte", "10^9 multiply-adds per second");
    chart.getStyler().setXAxisLogarithmic(true).setYAxisLogarithmic(true);
    double low = 0.1;
    double high = 10_000;
    for (List<Point> some : points.values()) {
      for (Point point : some) {
        low = Math.min(low, point.intensity());
        high = Math.max(high, point.intensity());
      }
    }
    roof(
        chart, "memory, 8-bit dots", low, high, machine.limits().memory(), machine.limits().dots());
    roof(
        chart,
        "level 2, bit products",
        low,
        high,
        machine.limits().level2(),
        machine.limits().ones());
    points.forEach(
        (name, some) ->
            chart
                .addSeries(
                    name,
                    some.stream().mapToDouble(Point::intensity).toArray(),
                    some.stream().mapToDouble(Point::rate).toArray())
                .setXYSeriesRenderStyle(XYSeriesRenderStyle.Scatter)
                .setMarker(SeriesMarkers.CIRCLE));
    save(chart, file);
  }

  private static void roof(
      XYChart chart, String name, double low, double high, double bandwidth, double peak) {
    double ridge = peak / bandwidth;
    chart
        .addSeries(
            name,
            new double[] {low, ridge, Math.max(high, 2 * ridge)},
            new double[] {low * bandwidth, peak, peak})
        .setMarker(SeriesMarkers.NONE);
  }

  private static XYChart chart(String title, String x, String y) {
    XYChart chart =
        new XYChartBuilder()
            .width(900)
            .height(480)
            .title(title)
            .xAxisTitle(x)
            .yAxisTitle(y)
            .build();
    chart
        .getStyler()
        .setLegendPosition(Styler.LegendPosition.OutsideE)
        .setChartBackgroundColor(Color.WHITE)
        .setPlotBorderVisible(false);
    chart.getStyler().setMarkerSize(6);
    return chart;
  }

  private static void save(XYChart chart, Path file) throws IOException {
    try (OutputStream out = Files.newOutputStream(file)) {
      VectorGraphicsEncoder.saveVectorGraphic(chart, out, VectorGraphicsFormat.SVG);
    }
  }
}
