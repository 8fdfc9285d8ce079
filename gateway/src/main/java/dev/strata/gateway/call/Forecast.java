package dev.strata.gateway.call;

import dev.strata.precision.Bits;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/// What a request of one model must expect if it were accepted now.
///
/// @param waitNanos until its computation starts
/// @param computeNanos for each of the model's widths, how long the computation takes
/// @param batchNanos for each width, how long a full batch of such requests takes: what a width
///     costs when there is much to do
public record Forecast(long waitNanos, Map<Bits, Long> computeNanos, Map<Bits, Long> batchNanos) {
  public Forecast {
    computeNanos = Collections.unmodifiableMap(new TreeMap<>(computeNanos));
    batchNanos = Collections.unmodifiableMap(new TreeMap<>(batchNanos));
  }

  /// @return until the answer, in nanoseconds
  public long answerNanos(Bits bits) {
    return waitNanos + computeNanos.get(bits);
  }
}
