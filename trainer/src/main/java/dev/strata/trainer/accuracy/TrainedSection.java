package dev.strata.trainer.accuracy;

import dev.strata.precision.Bits;
import dev.strata.trainer.plot.Plot;
import dev.strata.trainer.plot.Plot.Axis;
import dev.strata.trainer.plot.Plot.Point;
import dev.strata.trainer.training.TrainingStudy;
import dev.strata.trainer.training.TrainingStudy.Trained;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/// What training for all widths at once gives, beside a network for each width.
final class TrainedSection {
  /// Points a width may lose against its own network; at 1 bit twice as many.
  private static final double BOUND = 0.005;

  private static final double BOUND_AT_ONE_BIT = 0.01;

  private final TrainingStudy.Outcome study;

  TrainedSection(TrainingStudy.Outcome study) {
    this.study = study;
  }

  List<GoalRow> goals() {
    return study.dedicated().entrySet().stream()
        .map(one -> goal(one.getKey(), accuracy(one.getValue(), one.getKey())))
        .toList();
  }

  /// @param own accuracy of the network that has this width alone
  private GoalRow goal(Bits bits, double own) {
    double bound = bits.count() == 1 ? BOUND_AT_ONE_BIT : BOUND;
    return new GoalRow(
        study.run().name(),
        bits.count(),
        "accuracy, its own network less %.1f points".formatted(100 * bound),
        own - bound,
        accuracy(study.once(), bits));
  }

  private static double accuracy(Trained trained, Bits bits) {
    return trained.accuracies().get(bits);
  }

  String name() {
    return study.run().name();
  }

  String title() {
    return name() + ", trained";
  }

  void write(StringBuilder text, Path images) throws IOException {
    text.append(
            "\nTrained from nothing with this file, and with the same data, schedule and seed in")
        .append(" the other ways;\nmeasured on the ")
        .append(study.once().provenance().get("quality.data"))
        .append(", by the runtime.\n\n```yaml\n")
        .append(study.run().text().strip())
        .append("\n```\n\n");
    Map<Bits, Double> millis = Latency.medianMillis(study.once().artifact());
    table(text, millis);
    storage(text);
    List<Point> accuracies = new ArrayList<>();
    List<Point> overBytes = new ArrayList<>();
    List<Point> overMillis = new ArrayList<>();
    for (Map.Entry<Bits, Trained> one : study.dedicated().entrySet()) {
      Bits bits = one.getKey();
      Trained trained = one.getValue();
      double own = accuracy(trained, bits);
      accuracies.add(new Point(bits.count(), own));
      overBytes.add(new Point(trained.prefixBytes().get(bits) / 1e3, own));
      overMillis.add(new Point(Latency.medianMillis(trained.artifact()).get(bits), own));
    }
    Plot byBits =
        new Plot(
                title(),
                new Axis("bits", false, List.of(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)),
                new Axis("accuracy", false, List.of()))
            .course("once for all", course(study.once(), Bits::count))
            .course("its own network", accuracies)
            .course("8 bits, cut", course(study.truncated(), Bits::count))
            .course("floats, cut", course(study.floats(), Bits::count));
    plot(text, images, "trained", byBits);
    plot(
        text,
        images,
        "trained-bytes",
        against(
            "prefix, kB",
            course(study.once(), bits -> study.once().prefixBytes().get(bits) / 1e3),
            overBytes));
    plot(
        text,
        images,
        "trained-latency",
        against("ms", course(study.once(), bits -> millis.get(bits)), overMillis));
  }

  private Plot against(String cost, List<Point> once, List<Point> own) {
    return new Plot(
            title(),
            Axis.over(cost, Stream.of(once, own).flatMap(List::stream).mapToDouble(Point::x)),
            Axis.over("accuracy", Stream.of(once, own).flatMap(List::stream).mapToDouble(Point::y)))
        .course("once for all", once)
        .course("its own network", own);
  }

  private void plot(StringBuilder text, Path images, String kind, Plot plot) throws IOException {
    String file = "accuracy-%s-%s.svg".formatted(name(), kind);
    Plot.write(images.resolve(file), 1, List.of(plot));
    text.append("\n![%s](images/%s)\n".formatted(kind, file));
  }

  private static List<Point> course(Trained trained, ToDoubleFunction<Bits> cost) {
    return trained.accuracies().entrySet().stream()
        .map(one -> new Point(cost.applyAsDouble(one.getKey()), one.getValue()))
        .toList();
  }

  private void table(StringBuilder text, Map<Bits, Double> millis) {
    text.append(
            "| bits | of inputs | prefix bytes | ms | once for all | its own network | difference"
                + " | 8 bits, cut | floats, cut |")
        .append("\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    String floats = study.floats().provenance().get("quality.fp32.accuracy");
    text.append("| fp32 | | | | | %s | | | |\n".formatted(floats));
    for (Bits bits : List.copyOf(study.dedicated().keySet()).reversed()) {
      double once = accuracy(study.once(), bits);
      double own = accuracy(study.dedicated().get(bits), bits);
      text.append(
          "| %s | %d | %,d | %.2f | %.4f | %.4f | %+.2f points | %.4f | %.4f |\n"
              .formatted(
                  bits,
                  study.run().activationBits(bits.count()),
                  study.once().prefixBytes().get(bits),
                  millis.get(bits),
                  once,
                  own,
                  100 * (once - own),
                  accuracy(study.truncated(), bits),
                  accuracy(study.floats(), bits)));
    }
  }

  private void storage(StringBuilder text) {
    long apart = 0;
    double seconds = 0;
    for (Map.Entry<Bits, Trained> one : study.dedicated().entrySet()) {
      apart += one.getValue().prefixBytes().get(one.getKey());
      seconds += one.getValue().seconds();
    }
    text.append(
        ("\nOne artifact: %,d bytes, trained in %.0f s. %d networks, each stored at its width:"
                + " %,d bytes, trained in %.0f s.\n")
            .formatted(
                study.once().bytes(),
                study.once().seconds(),
                study.dedicated().size(),
                apart,
                seconds));
  }
}
