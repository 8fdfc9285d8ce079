package dev.strata.trainer.quantize;

/// A histogram of float values that widens itself: bins double in width until a value fits.
public final class ValueHistogram {
  private static final int HALF = 4096;

  private final long[] counts = new long[2 * HALF];
  private double binWidth = 0x1p-20;
  private float minimum = Float.POSITIVE_INFINITY;
  private float maximum = Float.NEGATIVE_INFINITY;
  private long total;

  /// @param value ignored unless finite
  public void add(float value) {
    if (!Float.isFinite(value)) {
      return;
    }
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
    total++;
    double bin = Math.floor(value / binWidth);
    while (bin < -HALF || bin >= HALF) {
      widen();
      bin = Math.floor(value / binWidth);
    }
    counts[(int) bin + HALF]++;
  }

  private void widen() {
    for (int i = 0; i < HALF; i++) {
      boolean seen = i < HALF / 2;
      counts[HALF - 1 - i] = seen ? pair(HALF - 2 - 2 * i) : 0;
      counts[HALF + i] = seen ? pair(HALF + 2 * i) : 0;
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

  /// Mean squared error of rounding the seen values to `levels` points from low to high, values
  /// outside moved to the ends. Each bin counts as its middle, rounding inside as uniform.
  public double roundingError(double low, double high, int levels) {
    double step = (high - low) / (levels - 1);
    double sum = 0;
    for (int i = 0; i < counts.length; i++) {
      if (counts[i] == 0) {
        continue;
      }
      double value = (i - HALF + 0.5) * binWidth;
      double beyond = Math.max(Math.max(low - value, value - high), 0);
      sum += counts[i] * (beyond > 0 ? beyond * beyond : step * step / 12);
    }
    return total == 0 ? 0 : sum / total;
  }
}
