package dev.strata.plan;

import dev.strata.graph.Op;

/// Where each element of a resized axis comes from: two neighbours and the weight of the upper one,
/// by ONNX's Resize.
final class ResizeTable {
  private final long[] lower;
  private final long[] upper;
  private final float[] upperWeight;

  private ResizeTable(int length) {
    lower = new long[length];
    upper = new long[length];
    upperWeight = new float[length];
  }

  /// @param size elements of the axis before
  /// @param resized elements of the axis after
  /// @param scale factor from before to after, which need not be their exact ratio
  static ResizeTable of(Op.Resize resize, long size, long resized, float scale) {
    ResizeTable table = new ResizeTable(Math.toIntExact(resized));
    for (int i = 0; i < resized; i++) {
      float position = position(resize.coordinates(), i, size, resized, scale);
      switch (resize.mode()) {
        case NEAREST -> {
          long nearest = Math.clamp(round(resize.rounding(), position), 0, size - 1);
          table.lower[i] = nearest;
          table.upper[i] = nearest;
        }
        case LINEAR -> {
          float inside = Math.clamp(position, 0f, (float) (size - 1));
          table.lower[i] = (long) inside;
          table.upper[i] = Math.min(table.lower[i] + 1, size - 1);
          table.upperWeight[i] = inside - (float) table.lower[i];
        }
      }
    }
    return table;
  }

  private static float position(
      Op.Resize.Coordinates coordinates, int i, long size, long resized, float scale) {
    return switch (coordinates) {
      case HALF_PIXEL -> (i + 0.5f) / scale - 0.5f;
      case PYTORCH_HALF_PIXEL -> resized > 1 ? (i + 0.5f) / scale - 0.5f : 0;
      case ALIGN_CORNERS -> resized > 1 ? (float) i * (size - 1) / (resized - 1) : 0;
      case ASYMMETRIC -> i / scale;
    };
  }

  private static long round(Op.Resize.Rounding rounding, float position) {
    return (long)
        switch (rounding) {
          case ROUND_PREFER_FLOOR -> Math.ceil(position - 0.5);
          case ROUND_PREFER_CEIL -> Math.floor(position + 0.5);
          case FLOOR -> Math.floor(position);
          case CEIL -> Math.ceil(position);
        };
  }

  long[] lower() {
    return lower.clone();
  }

  long[] upper() {
    return upper.clone();
  }

  float[] upperWeight() {
    return upperWeight.clone();
  }
}
