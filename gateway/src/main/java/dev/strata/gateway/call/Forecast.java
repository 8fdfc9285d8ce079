package dev.strata.gateway.call;

import dev.strata.precision.Bits;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/// What a request of one model must expect if it were accepted now.
///
/// @param waitNanos until its computation starts
/// @param computeNanos for each of the model's widths, how long the computation takes
public record Forecast(long waitNanos, Map<Bits, Long> computeNanos) {
  public Forecast {
    computeNanos = Collections.unmodifiableMap(new TreeMap<>(computeNanos));
  }

  /// @return until the answer, in nanoseconds
  public long answerNanos(Bits bits) {
    return waitNanos + computeNanos.get(bits);
  }
}
