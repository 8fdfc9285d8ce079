package dev.strata.trainer.quantize;

import dev.strata.precision.Bits;
import dev.strata.precision.PlaneLayout;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/// Fits gamma and zeta of each row and width to the float weights: plain least squares, or with
/// calibration weighted by the covariance of the layer's inputs, which makes it least squares of
// the
/// layer's output (its mean is the bias's business).
final class RowFitting {
  private final float[] weights;
  private final Optional<InputStatistics> inputs;

  RowFitting(float[] weights, Optional<InputStatistics> inputs) {
    this.weights = weights;
    this.inputs = inputs;
  }

  /// @return `[rows][8]`, entry `bits - 1` set for the given widths and [RowFit#NONE] elsewhere
  RowFit[][] fit(LayeredMatrix matrix, Set<Bits> widths) {
    int rows = matrix.layout().rows();
    RowFit[][] fits = new RowFit[rows][Bits.MAX];
    for (RowFit[] row : fits) {
      java.util.Arrays.fill(row, RowFit.NONE);
    }
    Optional<SymmetricMatrix[]> covariances = inputs.flatMap(InputStatistics::covariances);
    if (covariances.isEmpty()) {
      fitPart(matrix, widths, Optional.empty(), 0, rows, fits);
      return fits;
    }
    int parts = covariances.get().length;
    for (int part = 0; part < parts; part++) {
      int first = part * (rows / parts);
      int last = first + rows / parts;
      SymmetricMatrix covariance = covariances.get()[part];
      double ridge = Math.max(covariance.meanDiagonal() * 1e-4, Double.MIN_NORMAL);
      fitPart(matrix, widths, Optional.of(covariance.withRidge(ridge)), first, last, fits);
    }
    return fits;
  }

  private void fitPart(
      LayeredMatrix matrix,
      Set<Bits> widths,
      Optional<SymmetricMatrix> metric,
      int first,
      int last,
      RowFit[][] fits) {
    PlaneLayout layout = matrix.layout();
    int columns = layout.columns();
    float[] offsets = new float[(last - first) * columns];
    for (int row = first; row < last; row++) {
      matrix.offsets(row, offsets, (row - first) * columns);
    }
    float[] weighedOffsets = weigh(metric, offsets, last - first);
    float[] steps = new float[offsets.length];
    for (Bits width : widths) {
      for (int row = first; row < last; row++) {
        matrix.steps(row, width.count(), steps, (row - first) * columns);
      }
      float[] weighedSteps = weigh(metric, steps, last - first);
      IntStream.range(first, last)
          .parallel()
          .forEach(
              row ->
                  fits[row][width.count() - 1] =
                      fitRow(
                          row,
                          (row - first) * columns,
                          columns,
                          steps,
                          weighedSteps,
                          offsets,
                          weighedOffsets));
    }
  }

  private RowFit fitRow(
      int row,
      int at,
      int columns,
      float[] steps,
      float[] weighedSteps,
      float[] offsets,
      float[] weighedOffsets) {
    double ss = 0;
    double sb = 0;
    double bb = 0;
    double sw = 0;
    double bw = 0;
    for (int column = 0; column < columns; column++) {
      int i = at + column;
      double weight = weights[row * columns + column];
      ss += (double) weighedSteps[i] * steps[i];
      sb += (double) weighedSteps[i] * offsets[i];
      bb += (double) weighedOffsets[i] * offsets[i];
      sw += weighedSteps[i] * weight;
      bw += weighedOffsets[i] * weight;
    }
    return RowFit.leastSquares(ss, sb, bb, sw, bw);
  }

  private static float[] weigh(Optional<SymmetricMatrix> metric, float[] rows, int count) {
    return metric.map(matrix -> matrix.times(rows, count)).orElse(rows);
  }
}
