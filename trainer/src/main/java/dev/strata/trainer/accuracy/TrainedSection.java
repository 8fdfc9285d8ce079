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
    table(text);
    storage(text);
    List<Point> own = new ArrayList<>();
    study
        .dedicated()
        .forEach((bits, trained) -> own.add(new Point(bits.count(), accuracy(trained, bits))));
    Plot plot =
        new Plot(
            title(),
            new Axis("bits", false, List.of(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)),
            new Axis("accuracy", false, List.of()));
    plot.course("once for all", course(study.once()))
        .course("its own network", own)
        .course("8 bits, cut", course(study.truncated()))
        .course("floats, cut", course(study.floats()));
    String file = "accuracy-%s-trained.svg".formatted(study.run().name());
    Plot.write(images.resolve(file), 1, List.of(plot));
    text.append("\n![accuracy](images/").append(file).append(")\n");
  }

  private static List<Point> course(Trained trained) {
    return trained.accuracies().entrySet().stream()
        .map(one -> new Point(one.getKey().count(), one.getValue()))
        .toList();
  }

  private void table(StringBuilder text) {
    text.append(
            "| bits | of inputs | once for all | its own network | difference | 8 bits, cut | floats, cut"
                + " |")
        .append("\n| --- | --- | --- | --- | --- | --- | --- |\n");
    String floats = study.floats().provenance().get("quality.fp32.accuracy");
    text.append("| fp32 | | | %s | | | |\n".formatted(floats));
    for (Bits bits : List.copyOf(study.dedicated().keySet()).reversed()) {
      double once = accuracy(study.once(), bits);
      double own = accuracy(study.dedicated().get(bits), bits);
      text.append(
          "| %s | %d | %.4f | %.4f | %+.2f points | %.4f | %.4f |\n"
              .formatted(
                  bits,
                  study.run().activationBits(bits.count()),
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
