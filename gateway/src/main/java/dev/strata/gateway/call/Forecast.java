package dev.strata.gateway.call;

import dev.strata.precision.Bits;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/// What a request of one model must expect if it were accepted now.
///
/// @param waitNanos how long all takes that goes before it
/// @param widths what it must expect at each of the widths it may get
public record Forecast(long waitNanos, Map<Bits, Expected> widths) {

  /// At one width.
  ///
  /// @param computeNanos of the batch that it would join
  /// @param addedNanos how much longer all that waits takes because of it
  /// @param fullNanos of a full batch of such requests: what a width costs when there is much to do
  public record Expected(long computeNanos, long addedNanos, long fullNanos) {}

  public Forecast {
    widths = Collections.unmodifiableMap(new TreeMap<>(widths));
  }

  public Expected at(Bits bits) {
    return widths.get(bits);
  }

  /// Until the answer. What waits for the same batch is in it twice, which makes room for what
  /// comes later and is due earlier.
  public long answerNanos(Bits bits) {
    return waitNanos + at(bits).computeNanos();
  }
}
