package dev.strata.loadtest.capacity;

import dev.strata.loadtest.scenario.InvalidScenarioException;

/// How long one request occupies a worker.
///
/// @param meanMillis greater than 0
/// @param variability squared coefficient of variation, 0 (always the same) or more; 1 is
///     exponential
public record Service(double meanMillis, double variability) {

  public Service {
    if (!(meanMillis > 0 && Double.isFinite(meanMillis))) {
      throw new InvalidScenarioException(
          "service: got a mean of %s ms, expected more than 0".formatted(meanMillis));
    }
    if (!(variability >= 0 && Double.isFinite(variability))) {
      throw new InvalidScenarioException(
          "service: got a variability of %s, expected 0 or more".formatted(variability));
    }
  }

  /// The 99th percentile of the service itself, of a gamma distribution with this mean and
  /// variability by the cube-root approximation of Wilson and Hilferty (PNAS 17, 1931).
  public double p99Millis() {
    double ninth = variability / 9;
    double root = 1 - ninth + 2.3263479 * Math.sqrt(ninth);
    return meanMillis * Math.pow(Math.max(0, root), 3);
  }
}
