package dev.strata.trainer.quantize;

import java.util.Optional;

/// What calibration saw at the input of one layer, in the column order of its weights. Rows of
/// grouped convolutions read different channels, so there is one set of columns per part.
///
/// @param parts 1, the group count of a grouped convolution, or the channels of a depthwise one
/// @param means `[parts][columns]`
/// @param covariances per part; empty when the layer is too wide
/// @param range all observed values, zero padding not counted
record InputStatistics(
    int parts, double[][] means, Optional<SymmetricMatrix[]> covariances, ValueHistogram range) {

  int partOf(int row, int rows) {
    return row / (rows / parts);
  }
}
