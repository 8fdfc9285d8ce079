package dev.strata.trainer.accuracy;

import dev.strata.trainer.plot.Plot;
import dev.strata.trainer.plot.Plot.Axis;
import dev.strata.trainer.plot.Plot.Point;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/// The figures as one Markdown page with plots beside it. Sections of an older page that are not
/// measured anew stay as they are.
final class AccuracyPage {
  private static final String SAME = "same planes for all";
  private static final String BY_SENSITIVITY = "planes by sensitivity";

  private static final String HEAD =
      """
      # Accuracy by width

      The figures of each section are written by the command that it names, none by hand.
      Activations of imported networks have 8 bits at every width. `_fp32` means: against the float network. A prefix
      is what of the file a request of that width needs. Time is the median of one sample on one thread, not on a
      quiet machine.

      ## %s

      | model | bits | figure | goal | found | |
      | --- | --- | --- | --- | --- | --- |
      """;

  private final Path page;
  private final String written;

  /// @param page the Markdown file; plots go to `images` beside it
  /// @param command how to make its sections again
  /// @param day when they are made
  AccuracyPage(Path page, String command, LocalDate day) {
    this.page = page;
    this.written = "\nWritten on %s by `%s`.\n".formatted(day, command);
  }

  void write(List<ModelAccuracy> models, List<TrainedSection> trained) throws IOException {
    Path images = page.toAbsolutePath().resolveSibling("images");
    Files.createDirectories(images);
    WrittenPage content = WrittenPage.read(page);
    for (ModelAccuracy model : models) {
      StringBuilder text = new StringBuilder("## " + model.name() + "\n" + written);
      section(text, model);
      content =
          content.with(model.name(), text.toString(), model.name(), rows(Goal.of(model).toList()));
      plot(model, "bytes", "prefix, MB", row -> row.prefixBytes() / 1e6, images);
      plot(model, "latency", "ms", ModelAccuracy.Row::medianMillis, images);
    }
    for (TrainedSection section : trained) {
      StringBuilder text = new StringBuilder("## " + section.title() + "\n" + written);
      section.write(text, images);
      content =
          content.with(section.title(), text.toString(), section.name(), rows(section.goals()));
    }
    StringBuilder text = new StringBuilder(HEAD.formatted(WrittenPage.GOALS));
    content.goals().values().forEach(rows -> rows.forEach(text::append));
    content.sections().values().forEach(section -> text.append('\n').append(section));
    Files.writeString(page, text);
  }

  private static List<String> rows(List<GoalRow> goals) {
    return goals.stream().map(GoalRow::markdown).toList();
  }

  private static void section(StringBuilder text, ModelAccuracy model) {
    text.append(
        "\n%s, %d samples; import %.0f s, measurement %.0f s. Stored: %s.\n"
            .formatted(
                model.data(),
                model.samples(),
                model.importSeconds(),
                model.seconds(),
                model.allocated() ? BY_SENSITIVITY : SAME));
    table(text, model, model.stored(), model.allocated());
    table(text, model, model.other(), !model.allocated());
    text.append("\n![bytes](images/accuracy-%s-bytes.svg)\n".formatted(model.name()))
        .append("![latency](images/accuracy-%s-latency.svg)\n".formatted(model.name()));
  }

  private static void table(
      StringBuilder text, ModelAccuracy model, List<ModelAccuracy.Row> rows, boolean allocated) {
    TreeSet<String> metrics = new TreeSet<>(model.reference().keySet());
    text.append("\n| ").append(allocated ? BY_SENSITIVITY : SAME).append(" | prefix bytes | ms |");
    metrics.forEach(metric -> text.append(' ').append(metric).append(" |"));
    text.append("\n| --- | --- | --- |").append(" --- |".repeat(metrics.size()));
    text.append("\n| fp32 | | |");
    metrics.forEach(metric -> text.append(" %.5f |".formatted(model.reference().get(metric))));
    for (ModelAccuracy.Row row : rows.reversed()) {
      text.append(
          "\n| %s | %,d | %.2f |".formatted(row.bits(), row.prefixBytes(), row.medianMillis()));
      metrics.forEach(metric -> text.append(" %.5f |".formatted(row.quality().get(metric))));
    }
    text.append('\n');
  }

  private static void plot(
      ModelAccuracy model,
      String kind,
      String axis,
      ToDoubleFunction<ModelAccuracy.Row> cost,
      Path images)
      throws IOException {
    List<Point> stored = points(model, model.stored(), cost);
    List<Point> other = points(model, model.other(), cost);
    Plot plot =
        new Plot(
            model.name(),
            Axis.over(axis, Stream.of(stored, other).flatMap(List::stream).mapToDouble(Point::x)),
            Axis.over(
                model.metric(),
                Stream.of(stored, other).flatMap(List::stream).mapToDouble(Point::y)));
    plot.course(model.allocated() ? BY_SENSITIVITY : SAME, stored);
    plot.course(model.allocated() ? SAME : BY_SENSITIVITY, other);
    Plot.write(
        images.resolve("accuracy-%s-%s.svg".formatted(model.name(), kind)), 1, List.of(plot));
  }

  private static List<Point> points(
      ModelAccuracy model, List<ModelAccuracy.Row> rows, ToDoubleFunction<ModelAccuracy.Row> cost) {
    return rows.stream()
        .map(row -> new Point(cost.applyAsDouble(row), row.quality().get(model.metric())))
        .toList();
  }
}
