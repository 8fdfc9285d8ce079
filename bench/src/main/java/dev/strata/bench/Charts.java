package dev.strata.bench;

import dev.strata.kernel.Limits;
import dev.strata.trainer.plot.Plot;
import dev.strata.trainer.plot.Plot.Axis;
import dev.strata.trainer.plot.Plot.Point;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The charts, as SVG files.
final class Charts {
  private Charts() {}

  /// Kernels under the limits of the processor.
  static void kernels(Path file, Machine machine, List<KernelRow> rows) throws IOException {
    Map<String, List<Point>> points = new LinkedHashMap<>();
    for (KernelRow row : rows) {
      String widths = row.path().substring(row.path().indexOf(' ') + 1);
      points
          .computeIfAbsent(widths + ", " + row.weights(), _ -> new ArrayList<>())
          .add(new Point(row.multiplyAddsPerByte(), row.gigaMultiplyAdds()));
    }
    Limits limits = machine.limits();
    Plot plot = roofline("Kernels under the roofline");
    roof(plot, "8-bit dots, memory", limits.memory(), limits.dots(), points);
    roof(plot, "bits, level 2", limits.level2(), limits.ones(), points);
    points.forEach(plot::dots);
    Plot.write(file, 1, List.of(plot));
  }

  /// For each input, time by width beside the steps under the limits.
  static void model(Path file, ModelReport report) throws IOException {
    List<String> inputs = report.rows().stream().map(ModelRow::input).distinct().toList();
    List<Plot> plots = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      String input = inputs.get(i);
      String name = report.model() + ", " + input;
      plots.add(
          times(name, report.rows().stream().filter(row -> row.input().equals(input)).toList()));
      plots.add(
          steps(
              name,
              report.limits().get(i),
              report.steps().stream().filter(step -> step.input().equals(input)).toList()));
    }
    Plot.write(file, 2, plots);
  }

  private static Plot times(String name, List<ModelRow> rows) {
    Plot plot =
        new Plot(
            name,
            new Axis("bits", false, List.of(1.0, 2.0, 4.0, 8.0)),
            new Axis("ms, median", false, List.of()));
    Map<Integer, List<Point>> byThreads = new LinkedHashMap<>();
    for (ModelRow row : rows) {
      if (row.bits() > 0) {
        byThreads
            .computeIfAbsent(row.threads(), _ -> new ArrayList<>())
            .add(new Point(row.bits(), row.millis()));
      }
    }
    byThreads.forEach(
        (threads, points) -> {
          String of = "Strata, " + threads + (threads == 1 ? " thread" : " threads");
          plot.course(of, points);
        });
    for (ModelRow row : rows) {
      if (row.bits() == 0) {
        plot.dashes(
            row.contender(), List.of(new Point(1, row.millis()), new Point(8, row.millis())));
      }
    }
    return plot;
  }

  /// Steps without products have no place there.
  private static Plot steps(String name, Limits limits, List<StepRow> steps) {
    Map<String, List<Point>> points = new LinkedHashMap<>();
    for (StepRow step : steps) {
      if (step.multiplyAdds() > 0) {
        points
            .computeIfAbsent(
                step.weightBytes() > 0 ? step.bits() + " bits" : "attention, floats",
                _ -> new ArrayList<>())
            .add(new Point(step.multiplyAddsPerByte(), step.gigaMultiplyAdds()));
      }
    }
    Plot plot = roofline(name + ": steps with products");
    roof(plot, "8-bit dots, level 2", limits.level2(), limits.dots(), points);
    roof(plot, "floats, level 3", limits.level3(), limits.floats(), points);
    points.forEach(plot::dots);
    return plot;
  }

  private static Plot roofline(String title) {
    return new Plot(
        title,
        new Axis("multiply-adds per byte", true, List.of()),
        new Axis("10^9 multiply-adds a second", true, List.of()));
  }

  /// What a bandwidth and a peak allow, over the intensities of the points.
  private static void roof(
      Plot plot, String name, double bandwidth, double peak, Map<String, List<Point>> points) {
    double ridge = peak / bandwidth;
    double low = ridge / 2;
    double high = 2 * ridge;
    for (List<Point> some : points.values()) {
      for (Point point : some) {
        low = Math.min(low, point.x());
        high = Math.max(high, point.x());
      }
    }
    plot.line(
        name,
        List.of(new Point(low, low * bandwidth), new Point(ridge, peak), new Point(high, peak)));
  }
}
