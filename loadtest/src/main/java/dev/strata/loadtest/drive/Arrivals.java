package dev.strata.loadtest.drive;

import dev.strata.loadtest.scenario.Phase;
import java.util.OptionalDouble;
import java.util.Random;

/// Intended start times of an open phase, one after another.
final class Arrivals {
  private final Phase.Open phase;
  private final Random random;
  private double at;

  Arrivals(Phase.Open phase, Random random) {
    this.phase = phase;
    this.random = random;
  }

  /// The next start in seconds from the beginning of the phase, or nothing behind its end. A ramp's
  /// gap is that of the rate at its beginning, which is close for gaps that are short beside the
  /// ramp.
  OptionalDouble next() {
    double rate = phase.rate() + (phase.toRate() - phase.rate()) * at / phase.seconds();
    // 1 - uniform is never zero.
    at += (phase.poisson() ? -Math.log(1 - random.nextDouble()) : 1) / rate;
    return at < phase.seconds() ? OptionalDouble.of(at) : OptionalDouble.empty();
  }
}
