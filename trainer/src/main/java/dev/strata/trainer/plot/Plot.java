package dev.strata.trainer.plot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;

/// A plot of lines and dots in an SVG file whose texts are texts, so that it stays small.
public final class Plot {
  private static final int WIDTH = 560;
  private static final int HEIGHT = 380;
  private static final int LEFT = 64;
  private static final int TOP = 34;
  private static final int RIGHT = 380;
  private static final int BOTTOM = 330;
  private static final int MOST_TICKS = 6;
  private static final List<String> COLOURS =
      List.of(
          "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f3c8d", "#80604d",
          "#8a8a00", "#222222");

  /// @param x and `y` in the plot's units
  public record Point(double x, double y) {}

  private enum Kind {
    LINE,
    COURSE,
    DASHES,
    DOTS
  }

  private record Series(String name, Kind kind, List<Point> points) {}

  private final String title;
  private final Axis x;
  private final Axis y;
  private final List<Series> all = new ArrayList<>();

  /// How values become places.
  ///
  /// @param ticks none to choose them by the values
  public record Axis(String title, boolean logarithmic, List<Double> ticks) {

    /// From the least of the values to the greatest, with round ticks between them.
    public static Axis over(String title, DoubleStream values) {
      double[] sorted = values.sorted().toArray();
      double low = sorted[0];
      double range = Math.max(sorted[sorted.length - 1] - low, Double.MIN_NORMAL);
      double step = roundStep(range);
      List<Double> ticks = new ArrayList<>();
      for (double tick = step * Math.ceil(low / step); tick <= low + range; tick += step) {
        ticks.add(tick);
      }
      return new Axis(title, false, ticks);
    }
  }

  public Plot(String title, Axis x, Axis y) {
    this.title = title;
    this.x = x;
    this.y = y;
  }

  public Plot line(String name, List<Point> points) {
    all.add(new Series(name, Kind.LINE, points));
    return this;
  }

  public Plot dashes(String name, List<Point> points) {
    all.add(new Series(name, Kind.DASHES, points));
    return this;
  }

  /// A line with its points.
  public Plot course(String name, List<Point> points) {
    all.add(new Series(name, Kind.COURSE, points));
    return this;
  }

  public Plot dots(String name, List<Point> points) {
    all.add(new Series(name, Kind.DOTS, points));
    return this;
  }

  /// Writes plots side by side in rows.
  public static void write(Path file, int columns, List<Plot> plots) throws IOException {
    int width = columns * WIDTH;
    int height = Math.ceilDiv(plots.size(), columns) * HEIGHT;
    StringBuilder svg =
        new StringBuilder(
            """
            <svg xmlns="http://www.w3.org/2000/svg" width="%1$d" height="%2$d" \
            viewBox="0 0 %1$d %2$d" font-family="sans-serif" font-size="11">
            <rect width="%1$d" height="%2$d" fill="white"/>
            """
                .formatted(width, height));
    for (int i = 0; i < plots.size(); i++) {
      svg.append(
          "<g transform=\"translate(%d %d)\">\n"
              .formatted(i % columns * WIDTH, i / columns * HEIGHT));
      plots.get(i).draw(svg);
      svg.append("</g>\n");
    }
    Files.writeString(file, svg.append("</svg>\n"));
  }

  /// An axis with its range on this plot.
  private record Scale(Axis axis, double low, double high, List<Double> ticks, int from, int to) {

    static Scale of(Axis axis, DoubleStream values, int from, int to) {
      double[] sorted = values.sorted().toArray();
      double low = sorted[0];
      double high = sorted[sorted.length - 1];
      List<Double> ticks = new ArrayList<>(axis.ticks());
      if (axis.logarithmic()) {
        low = Math.pow(10, Math.floor(Math.log10(low)));
        high = Math.pow(10, Math.ceil(Math.log10(high)));
        for (double tick = low; ticks.size() < 20 && tick < high * 1.01; tick *= 10) {
          ticks.add(tick);
        }
      } else if (ticks.isEmpty()) {
        low = Math.min(0, low);
        double step = roundStep(high - low);
        high = step * Math.ceil(high / step);
        for (double tick = low; tick < high + step / 2; tick += step) {
          ticks.add(tick);
        }
      }
      return new Scale(axis, low, high, ticks, from, to);
    }

    double at(double value) {
      double share =
          axis.logarithmic()
              ? Math.log(value / low) / Math.log(high / low)
              : (value - low) / Math.max(high - low, Double.MIN_NORMAL);
      return from + share * (to - from);
    }
  }

  /// Between ticks, of which a range then has about half of the most to the most.
  private static double roundStep(double range) {
    double step = Math.pow(10, Math.floor(Math.log10(range)));
    while (range / step < MOST_TICKS / 2) {
      step /= 2;
    }
    while (range / step > MOST_TICKS) {
      step *= 2;
    }
    return step;
  }

  private void draw(StringBuilder svg) {
    Scale across = scale(x, true);
    Scale up = scale(y, false);
    text(svg, (LEFT + RIGHT) / 2.0, 20, "middle", "font-size=\"13\" font-weight=\"bold\"", title);
    for (double tick : across.ticks()) {
      double at = across.at(tick);
      line(svg, at, TOP, at, BOTTOM, "#ddd");
      text(svg, at, BOTTOM + 16, "middle", "", number(tick));
    }
    for (double tick : up.ticks()) {
      double at = up.at(tick);
      line(svg, LEFT, at, RIGHT, at, "#ddd");
      text(svg, LEFT - 6, at + 4, "end", "", number(tick));
    }
    line(svg, LEFT, BOTTOM, RIGHT, BOTTOM, "#444");
    line(svg, LEFT, TOP, LEFT, BOTTOM, "#444");
    text(svg, (LEFT + RIGHT) / 2.0, BOTTOM + 36, "middle", "", x.title());
    double middle = (TOP + BOTTOM) / 2.0;
    text(svg, 16, middle, "middle", format("transform=\"rotate(-90 16 %.1f)\"", middle), y.title());
    for (int i = 0; i < all.size(); i++) {
      Series one = all.get(i);
      String colour = COLOURS.get(i % COLOURS.size());
      draw(svg, one, across, up, colour);
      double legend = TOP + 8 + 16 * i;
      double centre = RIGHT + 26;
      draw(
          svg,
          one.kind(),
          colour,
          one.kind() == Kind.DOTS
              ? List.of(new Point(centre, legend))
              : List.of(new Point(centre - 10, legend), new Point(centre + 10, legend)));
      text(svg, centre + 16, legend + 4, "start", "", one.name());
    }
  }

  private Scale scale(Axis axis, boolean horizontal) {
    DoubleStream values =
        all.stream()
            .flatMap(one -> one.points().stream())
            .mapToDouble(point -> horizontal ? point.x() : point.y());
    return horizontal ? Scale.of(axis, values, LEFT, RIGHT) : Scale.of(axis, values, BOTTOM, TOP);
  }

  private static void draw(StringBuilder svg, Series one, Scale across, Scale up, String colour) {
    draw(
        svg,
        one.kind(),
        colour,
        one.points().stream()
            .map(point -> new Point(across.at(point.x()), up.at(point.y())))
            .toList());
  }

  /// @param places in pixels
  private static void draw(StringBuilder svg, Kind kind, String colour, List<Point> places) {
    switch (kind) {
      case COURSE -> {
        draw(svg, Kind.LINE, colour, places);
        draw(svg, Kind.DOTS, colour, places);
      }
      case DOTS ->
          places.forEach(
              at ->
                  svg.append(
                      format(
                          "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\""
                              + " fill-opacity=\"0.75\"/>\n",
                          at.x(), at.y(), colour)));
      case LINE, DASHES -> {
        svg.append("<polyline fill=\"none\" stroke-width=\"1.6\" stroke=\"").append(colour);
        svg.append(kind == Kind.DASHES ? "\" stroke-dasharray=\"6 3\" points=\"" : "\" points=\"");
        places.forEach(at -> svg.append(format("%.1f,%.1f ", at.x(), at.y())));
        svg.append("\"/>\n");
      }
    }
  }

  private static void line(
      StringBuilder svg, double x1, double y1, double x2, double y2, String colour) {
    svg.append(
        format(
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n",
            x1, y1, x2, y2, colour));
  }

  private static void text(
      StringBuilder svg, double x, double y, String anchor, String attributes, String text) {
    String escaped = text.replace("&", "&amp;").replace("<", "&lt;");
    svg.append(
        format(
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" %s>%s</text>\n",
            x, y, anchor, attributes, escaped));
  }

  private static String number(double value) {
    return value == Math.rint(value)
        ? format("%.0f", value)
        : format("%.4g", value).replaceAll("0+$", "");
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
