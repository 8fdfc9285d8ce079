package dev.strata.testing;

import dev.strata.graph.MemoryTensors;
import dev.strata.precision.Bits;
import dev.strata.precision.PlaneCodec;
import dev.strata.precision.PlaneLayout;
import dev.strata.precision.PlaneNames;
import java.util.List;
import java.util.Random;

/// Fills a layer's tensors with random weights, quantized by docs/precision.md with every gamma
/// =
/// 1.
///
/// @param tensors where they go
/// @param random where weights and biases come from
record TinyQuantizer(MemoryTensors tensors, Random random) {

  /// Makes one layer with all 8 planes and the tables of all widths.
  ///
  /// @return the float weights `[rows][columns]`
  float[] put(String name, PlaneLayout layout) {
    float[] weights =
        TinyModels.gaussian(
            random, layout.rows() * layout.columns(), 1 / Math.sqrt(layout.columns()));
    float[] bias = TinyModels.gaussian(random, layout.rows(), 0.1);
    byte[] codes = new byte[weights.length];
    byte[] groups = new byte[Math.toIntExact(layout.groupTableBytes())];
    float[] table = new float[3 * layout.paddedRows()];
    for (int row = 0; row < layout.rows(); row++) {
      int paddedRow = layout.paddedRow(row);
      float channelScale = 0;
      float channelOffset = 0;
      for (int group = 0; group < layout.groups(); group++) {
        channelScale = Math.max(channelScale, step(weights, layout, row, group) / 255);
        channelOffset =
            Math.max(channelOffset, Math.abs(centre(weights, layout, row, group)) / 127);
      }
      for (int group = 0; group < layout.groups(); group++) {
        int scaleCode = (int) Math.ceil(step(weights, layout, row, group) / channelScale);
        int offsetCode = Math.round(centre(weights, layout, row, group) / channelOffset);
        scaleCode = Math.min(255, scaleCode);
        int panel = paddedRow / PlaneLayout.PANEL_ROWS;
        int at =
            (panel * layout.groups() + group) * 2 * PlaneLayout.PANEL_ROWS
                + paddedRow % PlaneLayout.PANEL_ROWS;
        groups[at] = (byte) scaleCode;
        groups[at + PlaneLayout.PANEL_ROWS] = (byte) offsetCode;
        for (int column = first(layout, group); column < end(layout, group); column++) {
          int index = row * layout.columns() + column;
          double position =
              (weights[index] - (double) channelOffset * offsetCode)
                  / ((double) channelScale * scaleCode);
          codes[index] = (byte) Math.clamp((long) Math.floor(position) + 128, 0, 255);
        }
      }
      table[paddedRow] = channelScale / 2;
      table[layout.paddedRows() + paddedRow] = channelOffset;
      table[2 * layout.paddedRows() + paddedRow] = bias[row];
    }
    List<byte[]> planes = PlaneCodec.encode(codes, layout);
    for (Bits bits : Bits.all()) {
      tensors.put(PlaneNames.plane(name, bits.count() - 1), planes.get(bits.count() - 1));
      tensors.put(PlaneNames.table(name, bits), table);
    }
    tensors.put(PlaneNames.groups(name), groups);
    return weights;
  }

  /// The middle of a group's range.
  private static float centre(float[] weights, PlaneLayout layout, int row, int group) {
    float[] range = range(weights, layout, row, group);
    return (range[0] + range[1]) / 2;
  }

  /// The 8-bit step of a group's range.
  private static float step(float[] weights, PlaneLayout layout, int row, int group) {
    float[] range = range(weights, layout, row, group);
    return (range[1] - range[0]) / 256;
  }

  private static float[] range(float[] weights, PlaneLayout layout, int row, int group) {
    float low = Float.POSITIVE_INFINITY;
    float high = Float.NEGATIVE_INFINITY;
    for (int column = first(layout, group); column < end(layout, group); column++) {
      low = Math.min(low, weights[row * layout.columns() + column]);
      high = Math.max(high, weights[row * layout.columns() + column]);
    }
    return new float[] {low, high};
  }

  private static int first(PlaneLayout layout, int group) {
    return group * layout.groupSize();
  }

  private static int end(PlaneLayout layout, int group) {
    return Math.min(layout.columns(), (group + 1) * layout.groupSize());
  }
}
