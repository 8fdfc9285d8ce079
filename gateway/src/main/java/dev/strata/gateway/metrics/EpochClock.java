package dev.strata.gateway.metrics;

import java.time.Instant;
import java.util.concurrent.TimeUnit;

/// Turns readings of [System#nanoTime] into nanoseconds since 1970, as spans have them.
///
/// @param offset of the latter to the former
record EpochClock(long offset) {

  static EpochClock now() {
    Instant now = Instant.now();
    return new EpochClock(
        TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano() - System.nanoTime());
  }

  long epochNanos(long nanoTime) {
    return nanoTime + offset;
  }
}
