package dev.strata.trainer.quantize;

import dev.strata.precision.ActivationQuantizer;

/// Chooses a static 8-bit quantizer for a layer's input. Zero is exactly representable, since
/// convolutions pad with it.
final class ActivationRange {
  private static final int LEVELS = 256;
  private static final int LOWEST = -128;
  private static final int STEPS = 40;

  private ActivationRange() {}

  /// @param seen of the input on the calibration data
  static ActivationQuantizer.PerTensor of(ValueHistogram seen, RangeRule rule) {
    double low = Math.min(seen.minimum(), 0);
    double high = Math.max(seen.maximum(), 0);
    if (seen.total() == 0 || low == high) {
      return new ActivationQuantizer.PerTensor(8, 1, 0);
    }
    return switch (rule) {
      case RangeRule.LeastError() -> leastError(seen, low, high);
      case RangeRule.Percentile(double percent) -> {
        double outside = (1 - percent / 100) / 2;
        double least = Math.min(seen.quantile(outside), 0);
        double most = Math.max(seen.quantile(1 - outside), 0);
        yield least == most ? covering(low, high) : covering(least, most);
      }
    };
  }

  /// The observed range, or one up to a half narrower.
  private static ActivationQuantizer.PerTensor leastError(
      ValueHistogram seen, double low, double high) {
    double best = Double.POSITIVE_INFINITY;
    double bestPart = 1;
    for (int step = 0; step <= STEPS; step++) {
      double part = 1 - 0.5 * step / STEPS;
      double error = seen.roundingError(low * part, high * part, LEVELS);
      if (error < best) {
        best = error;
        bestPart = part;
      }
    }
    return covering(low * bestPart, high * bestPart);
  }

  private static ActivationQuantizer.PerTensor covering(double low, double high) {
    float scale = (float) ((high - low) / (LEVELS - 1));
    int zero = Math.clamp(Math.round(LOWEST - low / scale), LOWEST, LOWEST + LEVELS - 1);
    return new ActivationQuantizer.PerTensor(8, scale, zero);
  }
}
