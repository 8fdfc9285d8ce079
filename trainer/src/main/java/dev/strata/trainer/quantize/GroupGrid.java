package dev.strata.trainer.quantize;

import dev.strata.precision.PlaneLayout;

/// The parent grid of one weight matrix: for each group of columns of each row a step `S_g = S_c *
/// n_g` and an offset `b_g = B_c * m_g`, shared by all widths. `n_g` is an unsigned and `m_g` a
/// signed 8-bit code against the row's units `S_c` and `B_c`.
///
/// The 256 bins of a group are `[b_g + S_g * (q - 128), b_g + S_g * (q - 127))`. Steps are rounded
/// up after the offset has been rounded, so every weight lies in a bin: nothing clips.
public final class GroupGrid {
  private static final int MAX_STEP_CODE = 255;
  private static final int MAX_OFFSET_CODE = 127;
  private static final int HALF_BINS = 128;

  private final PlaneLayout layout;
  private final float[] stepUnits;
  private final float[] offsetUnits;
  private final int[] stepCodes;
  private final int[] offsetCodes;

  private GroupGrid(PlaneLayout layout) {
    this.layout = layout;
    stepUnits = new float[layout.rows()];
    offsetUnits = new float[layout.rows()];
    stepCodes = new int[layout.rows() * layout.groups()];
    offsetCodes = new int[layout.rows() * layout.groups()];
  }

  /// @param weights `[rows][columns]`, finite
  public static GroupGrid fit(float[] weights, PlaneLayout layout) {
    if (weights.length != (long) layout.rows() * layout.columns()) {
      throw new IllegalArgumentException(
          "weights: got %d values, expected %d x %d"
              .formatted(weights.length, layout.rows(), layout.columns()));
    }
    GroupGrid grid = new GroupGrid(layout);
    for (int row = 0; row < layout.rows(); row++) {
      grid.fitRow(weights, row);
    }
    return grid;
  }

  private void fitRow(float[] weights, int row) {
    int groups = layout.groups();
    float[] low = new float[groups];
    float[] high = new float[groups];
    for (int group = 0; group < groups; group++) {
      low[group] = Float.POSITIVE_INFINITY;
      high[group] = Float.NEGATIVE_INFINITY;
      int end = Math.min((group + 1) * layout.groupSize(), layout.columns());
      for (int column = group * layout.groupSize(); column < end; column++) {
        float weight = weights[row * layout.columns() + column];
        if (!Float.isFinite(weight)) {
          throw new IllegalArgumentException(
              "weight [%d][%d]: got %s, expected a finite number".formatted(row, column, weight));
        }
        low[group] = Math.min(low[group], weight);
        high[group] = Math.max(high[group], weight);
      }
    }
    fitOffsets(row, low, high);
    fitSteps(row, low, high);
  }

  private void fitOffsets(int row, float[] low, float[] high) {
    float largest = 0;
    for (int group = 0; group < low.length; group++) {
      largest = Math.max(largest, Math.abs(middle(low[group], high[group])));
    }
    offsetUnits[row] = largest / MAX_OFFSET_CODE;
    for (int group = 0; group < low.length; group++) {
      offsetCodes[row * low.length + group] =
          offsetUnits[row] == 0
              ? 0
              : Math.clamp(
                  Math.round(middle(low[group], high[group]) / offsetUnits[row]),
                  -MAX_OFFSET_CODE,
                  MAX_OFFSET_CODE);
    }
  }

  private void fitSteps(int row, float[] low, float[] high) {
    float[] needed = new float[low.length];
    float largest = 0;
    for (int group = 0; group < low.length; group++) {
      float offset = offset(row, group);
      float reach = Math.max(high[group] - offset, offset - low[group]);
      needed[group] = Math.max(reach, 0) / HALF_BINS;
      largest = Math.max(largest, needed[group]);
    }
    float unit = largest / MAX_STEP_CODE;
    while (unit * MAX_STEP_CODE < largest) {
      unit = Math.nextUp(unit);
    }
    stepUnits[row] = unit;
    for (int group = 0; group < low.length; group++) {
      int code = unit == 0 ? 0 : (int) Math.ceil(needed[group] / unit);
      while (code < MAX_STEP_CODE && unit * code < needed[group]) {
        code++;
      }
      stepCodes[row * low.length + group] = Math.min(code, MAX_STEP_CODE);
    }
  }

  private static float middle(float low, float high) {
    return low / 2 + high / 2;
  }

  public PlaneLayout layout() {
    return layout;
  }

  /// `S_c` of a row.
  public float stepUnit(int row) {
    return stepUnits[row];
  }

  /// `B_c` of a row.
  public float offsetUnit(int row) {
    return offsetUnits[row];
  }

  /// `S_g`: the width of an 8-bit bin.
  public float step(int row, int group) {
    return stepUnits[row] * stepCodes[row * layout.groups() + group];
  }

  /// `b_g`: the middle of the group's range.
  public float offset(int row, int group) {
    return offsetUnits[row] * offsetCodes[row * layout.groups() + group];
  }

  /// The artifact's group table, `[panels][groups][2][16]`.
  public byte[] table() {
    byte[] table = new byte[Math.toIntExact(layout.groupTableBytes())];
    for (int row = 0; row < layout.rows(); row++) {
      int padded = layout.paddedRow(row);
      int panel = padded / PlaneLayout.PANEL_ROWS;
      int lane = padded % PlaneLayout.PANEL_ROWS;
      for (int group = 0; group < layout.groups(); group++) {
        int at = (panel * layout.groups() + group) * 2 * PlaneLayout.PANEL_ROWS + lane;
        table[at] = (byte) stepCodes[row * layout.groups() + group];
        table[at + PlaneLayout.PANEL_ROWS] = (byte) offsetCodes[row * layout.groups() + group];
      }
    }
    return table;
  }

  /// The 8-bit code whose bin holds each weight; its prefixes are the nearest codes of the lower
  /// widths.
  ///
  /// @return `[rows][columns]`, unsigned
  public byte[] nearestCodes(float[] weights) {
    byte[] codes = new byte[weights.length];
    for (int row = 0; row < layout.rows(); row++) {
      for (int column = 0; column < layout.columns(); column++) {
        int at = row * layout.columns() + column;
        int group = column / layout.groupSize();
        float step = step(row, group);
        double bin = step == 0 ? 0 : Math.floor((weights[at] - (double) offset(row, group)) / step);
        codes[at] = (byte) Math.clamp((int) bin + HALF_BINS, 0, 255);
      }
    }
    return codes;
  }

  /// Middle of the bin of a code's first `bits` planes, in 8-bit steps from the group's offset: `2
  /// ^ (7 - bits) * (2u - (2 ^ bits - 1))` with `u = code >> (8 - bits)`.
  public static float middleOfBin(byte code, int bits) {
    int prefix = (code & 0xff) >> (8 - bits) << (8 - bits);
    return (2 * prefix - (256 - (1 << (8 - bits)))) / 2f;
  }
}
