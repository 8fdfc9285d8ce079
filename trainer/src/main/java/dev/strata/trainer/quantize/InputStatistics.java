package dev.strata.trainer.quantize;

import java.util.List;
import java.util.Optional;

/// What calibration saw at the input of one layer, in the column order of its weights. Rows of
/// grouped convolutions read different channels, so there is one set of columns per part: 1, the
/// group count of a grouped convolution, or the channels of a depthwise one.
final class InputStatistics {
  private final double[][] means;
  private final Optional<List<SymmetricMatrix>> covariances;
  private final ValueHistogram range;

  /// @param means `[parts][columns]`
  /// @param covariances one per part; empty when the layer is too wide
  /// @param range all observed values; zero padding does not count
  InputStatistics(
      double[][] means, Optional<List<SymmetricMatrix>> covariances, ValueHistogram range) {
    this.means = means;
    this.covariances = covariances;
    this.range = range;
  }

  /// Means of the columns that a row of the weights meets.
  double[] meansOf(int row, int rows) {
    return means[row / (rows / means.length)];
  }

  Optional<List<SymmetricMatrix>> covariances() {
    return covariances;
  }

  ValueHistogram range() {
    return range;
  }
}
