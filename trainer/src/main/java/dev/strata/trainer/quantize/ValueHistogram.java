package dev.strata.trainer.quantize;

/// A histogram of float values that widens itself: bins double in width until a value fits.
public final class ValueHistogram {
  private final int half;
  private final long[] counts;
  private double binWidth = 0x1p-20;
  private float minimum = Float.POSITIVE_INFINITY;
  private float maximum = Float.NEGATIVE_INFINITY;
  private long total;

  /// @param bins an even number
  public ValueHistogram(int bins) {
    half = bins / 2;
    counts = new long[2 * half];
  }

  /// @param value ignored unless finite
  public void add(float value) {
    if (!Float.isFinite(value)) {
      return;
    }
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
    total++;
    double bin = Math.floor(value / binWidth);
    while (bin < -half || bin >= half) {
      widen();
      bin = Math.floor(value / binWidth);
    }
    counts[(int) bin + half]++;
  }

  private void widen() {
    for (int i = 0; i < half; i++) {
      boolean seen = i < half / 2;
      counts[half - 1 - i] = seen ? pair(half - 2 - 2 * i) : 0;
      counts[half + i] = seen ? pair(half + 2 * i) : 0;
    }
    binWidth *= 2;
  }

  private long pair(int at) {
    return counts[at] + counts[at + 1];
  }

  public long total() {
    return total;
  }

  public float minimum() {
    return minimum;
  }

  public float maximum() {
    return maximum;
  }

  /// The value that `part` of the seen ones do not exceed, to the width of a bin.
  ///
  /// @param part 0 to 1
  public double quantile(double part) {
    long wanted = (long) Math.ceil(part * total);
    long below = 0;
    for (int i = 0; i < counts.length; i++) {
      below += counts[i];
      if (below >= wanted && below > 0) {
        return Math.clamp((i - half + 0.5) * binWidth, minimum, maximum);
      }
    }
    return maximum;
  }

  /// Mean squared error of rounding the seen values to `levels` points from low to high, values
  /// outside moved to the ends. Each bin counts as its middle, rounding inside as uniform.
  public double roundingError(double low, double high, int levels) {
    double step = (high - low) / (levels - 1);
    double sum = 0;
    for (int i = 0; i < counts.length; i++) {
      if (counts[i] == 0) {
        continue;
      }
      double value = (i - half + 0.5) * binWidth;
      double beyond = Math.max(Math.max(low - value, value - high), 0);
      sum += counts[i] * (beyond > 0 ? beyond * beyond : step * step / 12);
    }
    return total == 0 ? 0 : sum / total;
  }
}
