package dev.strata.trainer.accuracy;

import dev.strata.precision.Bits;
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

  /// Rows of the page's table of goals.
  List<String> goals() {
    List<String> rows = new ArrayList<>();
    for (Map.Entry<Bits, Trained> one : study.dedicated().entrySet()) {
      Bits bits = one.getKey();
      double least = least(bits);
      double found = accuracy(study.once(), bits);
      rows.add(
          "| %s | %d | accuracy, its own network less %.1f points | %.4f | %.5f | %s |\n"
              .formatted(
                  study.run().name(),
                  bits.count(),
                  100 * bound(bits),
                  least,
                  found,
                  found >= least ? "met" : "**MISSED**"));
    }
    return rows;
  }

  /// In words.
  List<String> missed() {
    List<String> missed = new ArrayList<>();
    for (Bits bits : study.dedicated().keySet()) {
      if (accuracy(study.once(), bits) < least(bits)) {
        missed.add(
            "%s at %d bits: accuracy is %.5f, goal %.4f"
                .formatted(
                    study.run().name(), bits.count(), accuracy(study.once(), bits), least(bits)));
      }
    }
    return missed;
  }

  private static double bound(Bits bits) {
    return bits.count() == 1 ? BOUND_AT_ONE_BIT : BOUND;
  }

  private double least(Bits bits) {
    return accuracy(study.dedicated().get(bits), bits) - bound(bits);
  }

  private static double accuracy(Trained trained, Bits bits) {
    return trained.accuracies().get(bits);
  }

  void write(StringBuilder text, Path images) throws IOException {
    text.append("\n## ").append(study.run().name()).append(", trained\n\n");
    text.append("Trained from nothing with this file, and with the same data, schedule and seed in")
        .append(" the other ways;\nmeasured on the ")
        .append(study.once().provenance().get("quality.data"))
        .append(", by the runtime.\n\n```yaml\n")
        .append(study.run().text().strip())
        .append("\n```\n\n");
    table(text);
    storage(text);
    LineChart chart = new LineChart(study.run().name() + ", trained", "bits", "accuracy");
    line(chart, "once for all widths", study.once());
    chart.line(
        "one network for each width",
        List.copyOf(study.dedicated().keySet()),
        bits -> bits.count(),
        bits -> accuracy(study.dedicated().get(bits), bits));
    line(chart, "8 bits, cut", study.truncated());
    line(chart, "floats, cut", study.floats());
    String file = "accuracy-%s-trained.svg".formatted(study.run().name());
    chart.write(images.resolve(file));
    text.append("\n![accuracy](images/").append(file).append(")\n");
  }

  private static void line(LineChart chart, String name, Trained trained) {
    chart.line(
        name,
        List.copyOf(trained.accuracies().keySet()),
        bits -> bits.count(),
        bits -> accuracy(trained, bits));
  }

  private void table(StringBuilder text) {
    text.append(
            "| bits | once for all | its own network | difference | 8 bits, cut | floats, cut |")
        .append("\n| --- | --- | --- | --- | --- | --- |\n");
    String floats = study.floats().provenance().get("quality.fp32.accuracy");
    text.append("| fp32 | | %s | | | |\n".formatted(floats));
    for (Bits bits : List.copyOf(study.dedicated().keySet()).reversed()) {
      double once = accuracy(study.once(), bits);
      double own = accuracy(study.dedicated().get(bits), bits);
      text.append(
          "| %s | %.4f | %.4f | %+.2f points | %.4f | %.4f |\n"
              .formatted(
                  bits,
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
