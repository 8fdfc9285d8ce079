package dev.strata.trainer.quantize;

import java.util.List;
import java.util.Optional;

/// What calibration saw at the input of one layer, in the column order of its weights. Rows of
/// grouped convolutions read different channels, so there is one set of columns per part: 1, the
/// group count of a grouped convolution, or the channels of a depthwise one.
final class InputStatistics {
  private final double[][] means;
  private final Optional<List<SymmetricMatrix>> covariances;
  private final List<ValueHistogram> ranges;
  private final float[] examples;

  /// @param means `[parts][columns]`
  /// @param covariances one per part; empty when the layer is too wide
  /// @param ranges of all observed values, or of those of each part; zero padding does not count
  /// @param examples some rows of the first part, `[n][columns]`
  InputStatistics(
      double[][] means,
      Optional<List<SymmetricMatrix>> covariances,
      List<ValueHistogram> ranges,
      float[] examples) {
    this.means = means;
    this.covariances = covariances;
    this.ranges = ranges;
    this.examples = examples;
  }

  /// Means of the columns that a row of the weights meets.
  double[] meansOf(int row, int rows) {
    return means[row / (rows / means.length)];
  }

  Optional<List<SymmetricMatrix>> covariances() {
    return covariances;
  }

  List<ValueHistogram> ranges() {
    return ranges;
  }

  private int columns() {
    return means[0].length;
  }

  /// Largest magnitude of each column in the examples.
  float[] peaks() {
    float[] peaks = new float[columns()];
    for (int i = 0; i < examples.length; i++) {
      peaks[i % columns()] = Math.max(peaks[i % columns()], Math.abs(examples[i]));
    }
    return peaks;
  }

  /// Mean square of each column in the examples.
  double[] meanSquares() {
    double[] squares = new double[columns()];
    for (int i = 0; i < examples.length; i++) {
      squares[i % columns()] += (double) examples[i] * examples[i] * columns() / examples.length;
    }
    return squares;
  }

  /// Mean over the examples of the squared largest magnitude of a row, columns divided by
  /// factors.
  double meanSquaredPeak(float[] factors) {
    int columns = columns();
    double sum = 0;
    for (int from = 0; from < examples.length; from += columns) {
      double peak = 0;
      for (int column = 0; column < columns; column++) {
        peak = Math.max(peak, Math.abs(examples[from + column]) / factors[column]);
      }
      sum += peak * peak;
    }
    return sum * columns / Math.max(1, examples.length);
  }

  /// The statistics of the input with each column multiplied by a number; for layers of one
  /// part.
  InputStatistics scaled(float[] by) {
    double[] scaledMeans = means[0].clone();
    for (int column = 0; column < scaledMeans.length; column++) {
      scaledMeans[column] *= by[column];
    }
    float[] scaledExamples = examples.clone();
    for (int i = 0; i < examples.length; i++) {
      scaledExamples[i] *= by[i % by.length];
    }
    return new InputStatistics(
        new double[][] {scaledMeans},
        covariances.map(parts -> List.of(parts.getFirst().scaled(by))),
        ranges,
        scaledExamples);
  }
}
