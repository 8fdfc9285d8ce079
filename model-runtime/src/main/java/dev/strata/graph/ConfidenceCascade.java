package dev.strata.graph;

import dev.strata.precision.Bits;
import java.util.Objects;

/// How a classifier answers at a narrow width and asks a wider one only where it is not sure.
///
/// @param low the width that answers first
/// @param high the width that answers when the margin at `low` is under the threshold
/// @param threshold how far the most probable class must lead the next, 0 to 1
/// @param accuracy measured share of right answers of the two together
/// @param meanCost measured mean cost of an answer, as a share of the cost at `high`
public record ConfidenceCascade(
    Bits low, Bits high, double threshold, double accuracy, double meanCost) {

  public ConfidenceCascade {
    Objects.requireNonNull(low);
    Objects.requireNonNull(high);
    if (low.compareTo(high) >= 0) {
      throw new IllegalArgumentException(
          "cascade: got %s bits before %s, expected the narrower first".formatted(low, high));
    }
    share("threshold", threshold);
    share("accuracy", accuracy);
    if (!(meanCost >= 0) || Double.isInfinite(meanCost)) {
      throw new IllegalArgumentException(
          "cascade.meanCost: got %s, expected 0 or more".formatted(meanCost));
    }
  }

  /// How far the most probable class leads the next, over the rows the least.
  ///
  /// @param probabilities FP32 `[rows][classes]`
  /// @return 0 to 1; 1 if there is one class
  public static double margin(Tensor probabilities) {
    float[] values = probabilities.toFloats();
    int classes = Math.toIntExact(probabilities.shape().dim(1));
    double least = 1;
    for (int row = 0; row < values.length; row += classes) {
      least = Math.min(least, lead(values, row, row + classes));
    }
    return least;
  }

  private static double lead(float[] values, int from, int to) {
    double first = 0;
    double second = 0;
    for (int i = from; i < to; i++) {
      if (values[i] > first) {
        second = first;
        first = values[i];
      } else if (values[i] > second) {
        second = values[i];
      }
    }
    return first - second;
  }

  private static void share(String name, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw new IllegalArgumentException(
          "cascade.%s: got %s, expected 0 to 1".formatted(name, value));
    }
  }
}
