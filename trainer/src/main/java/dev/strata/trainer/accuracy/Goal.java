package dev.strata.trainer.accuracy;

import java.util.List;
import java.util.stream.Stream;

/// A figure that a model shall reach at one width.
///
/// @param bound the least value; with `fromReference`, by how much the float network's may be
///     missed
record Goal(String model, int bits, String metric, double bound, boolean fromReference) {

  static final List<Goal> ALL =
      List.of(
          new Goal("fashion", 4, "accuracy", 0.005, true),
          new Goal("ocr-text", 4, "characters_fp32", 0.99, false),
          new Goal("minilm", 8, "cosine_fp32", 0.999, false),
          new Goal("minilm", 5, "cosine_fp32", 0.997, false),
          new Goal("minilm", 4, "cosine_fp32", 0.98, false),
          new Goal("minilm", 3, "cosine_fp32", 0.93, false),
          new Goal("minilm", 4, "spearman_fp32", 0.99, false),
          new Goal("minilm", 3, "spearman_fp32", 0.95, false),
          new Goal("minilm", 2, "spearman_fp32", 0.80, false));

  /// What a model has of the goals that are its own.
  static Stream<GoalRow> of(ModelAccuracy measured) {
    return ALL.stream()
        .filter(goal -> goal.model().equals(measured.name()))
        .map(goal -> goal.beside(measured));
  }

  private GoalRow beside(ModelAccuracy measured) {
    double least = fromReference ? measured.reference().get(metric) - bound : bound;
    double found = measured.at(bits).orElseThrow().quality().get(metric);
    return new GoalRow(model, bits, metric, least, found);
  }
}
