package dev.strata.trainer.quantize;

/// How the range of a static activation quantizer is chosen from the calibration data.
public sealed interface RangeRule {

  /// The one that rounds the seen values with the least mean squared error.
  record LeastError() implements RangeRule {}

  /// One that leaves out the same part of the seen values at each end.
  ///
  /// @param percent of the values that it holds, over 50 to 100; 100 is all that was seen
  record Percentile(double percent) implements RangeRule {
    public Percentile {
      if (!(percent > 50 && percent <= 100)) {
        throw new IllegalArgumentException(
            "percentile: got %s, expected more than 50 and at most 100".formatted(percent));
      }
    }
  }
}
