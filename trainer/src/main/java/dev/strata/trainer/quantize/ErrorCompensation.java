package dev.strata.trainer.quantize;

import dev.strata.precision.Bits;
import dev.strata.precision.PlaneLayout;
import java.util.stream.IntStream;

/// Chooses the codes of a layer so that the error of one weight is made good by the weights
/// after it, as far as the layer's inputs are correlated.
///
/// Widths are nested, so only one can be native: its prefix is chosen first; each further bit is
/// chosen inside the fixed cell, with feedback of its own that starts again from the float
/// weights. Narrower widths are cut from the native one. The feedback is that of GPTQ in its
/// equivalent LDL form: with the inputs' covariance `H = U D U^T`, U unit upper triangular, the
/// output error is `sum_j D_j (e_j + sum_{i<j} U_ij e_i)^2`; rounding `w_j + sum_{i<j} U_ij
/// e_i` makes each term small in turn. Columns are visited by falling variance.
final class ErrorCompensation {
  private static final int ROWS_AT_ONCE = 8;

  private final int[] order;
  private final float[] feedback;
  private final int nativeBits;
  private final double reach = Double.parseDouble(System.getProperty("reach", "1000"));

  private ErrorCompensation(int[] order, float[] feedback, int nativeBits) {
    this.order = order;
    this.feedback = feedback;
    this.nativeBits = nativeBits;
  }

  /// @param covariance of the layer's inputs
  /// @param damping added to the diagonal, as a part of its mean
  static ErrorCompensation of(SymmetricMatrix covariance, Bits nativeBits, double damping) {
    double ridge = damping * covariance.meanDiagonal();
    int[] order = covariance.byFallingDiagonal();
    float[] upper =
        ridge > 0
            ? covariance.permuted(order).withRidge(ridge).unitUpperFactor()
            : new float[order.length * order.length];
    return new ErrorCompensation(order, upper, nativeBits.count());
  }

  /// Replaces the codes of some rows.
  ///
  /// @param weights `[rows][columns]` of the whole layer
  /// @param codes `[rows][columns]`, written
  /// @param fits per row and width: `[row][bits - 1]`
  void compensate(
      float[] weights, GroupGrid grid, RowFit[][] fits, int firstRow, int lastRow, byte[] codes) {
    int chunks = Math.ceilDiv(lastRow - firstRow, ROWS_AT_ONCE);
    IntStream.range(0, chunks)
        .parallel()
        .forEach(
            chunk -> {
              int first = firstRow + chunk * ROWS_AT_ONCE;
              int last = Math.min(lastRow, first + ROWS_AT_ONCE);
              compensateChunk(weights, grid, fits, first, last, codes);
            });
  }

  private void compensateChunk(
      float[] weights, GroupGrid grid, RowFit[][] fits, int first, int last, byte[] codes) {
    int columns = order.length;
    int levels = Bits.MAX - nativeBits + 1;
    float[][] carried = new float[(last - first) * levels][columns];
    for (int position = 0; position < columns; position++) {
      for (int row = first; row < last; row++) {
        int at = row * columns + order[position];
        int code = 0;
        for (int level = 0; level < levels; level++) {
          float[] carry = carried[(row - first) * levels + level];
          int bits = nativeBits + level;
          RowFit fit = fits[row][bits - 1];
          code = choose(grid, row, order[position], fit, weights[at], carry[position], bits, code);
          float error = weights[at] - value(grid, row, order[position], fit, code, bits);
          pass(error, position, carry);
        }
        codes[at] = (byte) code;
      }
    }
  }

  /// @param parent the code chosen one bit narrower, 8 bits wide; ignored at the native width
  /// @return 8-bit code whose lower planes are zero
  private int choose(
      GroupGrid grid,
      int row,
      int column,
      RowFit fit,
      float weight,
      float carry,
      int bits,
      int parent) {
    PlaneLayout layout = grid.layout();
    int group = column / layout.groupSize();
    double step = fit.gamma() * grid.step(row, group);
    int bin = 1 << (8 - bits);
    if (step == 0) {
      return 128;
    }
    double place = (weight - fit.zeta() * grid.offset(row, group)) / step + 128;
    double farthest = bits == Bits.MAX ? Double.POSITIVE_INFINITY : reach * bin;
    double shift = Math.clamp(carry / step, -farthest, farthest);
    if (bits == nativeBits) {
      return Math.clamp((int) Math.floor((place + shift) / bin), 0, (1 << bits) - 1) * bin;
    }
    return place + shift >= parent + bin ? parent + bin : parent;
  }

  private static float value(GroupGrid grid, int row, int column, RowFit fit, int code, int bits) {
    int group = column / grid.layout().groupSize();
    return (float)
        (fit.gamma() * grid.step(row, group) * GroupGrid.middleOfBin((byte) code, bits)
            + fit.zeta() * grid.offset(row, group));
  }

  private void pass(float error, int position, float[] carry) {
    int columns = carry.length;
    int at = position * columns;
    for (int later = position + 1; later < columns; later++) {
      carry[later] += error * feedback[at + later];
    }
  }
}
