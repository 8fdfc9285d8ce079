package dev.strata.loadtest.report;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.awt.Color;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/// Lines with markers, as an SVG element.
final class Plot {
  private static final int WIDTH = 960;
  private static final int HEIGHT = 360;

  private final XYChart chart;

  /// @param x title of the horizontal axis
  /// @param y title of the vertical axis
  Plot(String x, String y) {
    chart = new XYChartBuilder().width(WIDTH).height(HEIGHT).xAxisTitle(x).yAxisTitle(y).build();
    chart
        .getStyler()
        .setLegendPosition(Styler.LegendPosition.OutsideE)
        .setChartBackgroundColor(Color.WHITE)
        .setPlotBorderVisible(false);
    chart.getStyler().setMarkerSize(4);
  }

  /// All values must be above 0.
  void logarithmic() {
    chart.getStyler().setYAxisLogarithmic(true);
  }

  /// Names at 0, 1, 2 ... of the horizontal axis, nothing between.
  void steps(List<String> names) {
    chart.setCustomXAxisTickLabelsFormatter(
        at -> at == Math.rint(at) && at >= 0 && at < names.size() ? names.get(at.intValue()) : "");
  }

  void line(String name, double[] x, double[] y) {
    chart.addSeries(name, x, y).setMarker(SeriesMarkers.CIRCLE);
  }

  String svg() throws IOException {
    if (chart.getSeriesMap().isEmpty()) {
      return "<p>no answers</p>";
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    VectorGraphicsEncoder.saveVectorGraphic(chart, bytes, VectorGraphicsFormat.SVG);
    String document = bytes.toString(UTF_8);
    return document.substring(document.indexOf("<svg"));
  }
}
