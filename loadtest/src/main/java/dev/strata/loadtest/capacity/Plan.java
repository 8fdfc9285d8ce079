package dev.strata.loadtest.capacity;

import dev.strata.loadtest.scenario.InvalidScenarioException;
import java.util.Optional;

/// What has to be promised, and what a replica is.
///
/// @param perSecond requests a second, all replicas together
/// @param arrivalVariability squared coefficient of variation between arrivals; 1 for Poisson
/// @param p99Millis the promise
/// @param workers that compute in one replica
/// @param mostUse share of the workers' time that may be used in fair weather, so that a lost
///     replica or a burst does not end in the queue
public record Plan(
    double perSecond, double arrivalVariability, double p99Millis, int workers, double mostUse) {

  /// More are not looked for.
  public static final int MOST_REPLICAS = 100_000;

  public Plan {
    require(perSecond > 0 && Double.isFinite(perSecond), "--rate", perSecond, "more than 0");
    require(arrivalVariability >= 0, "--arrival-variability", arrivalVariability, "0 or more");
    require(p99Millis > 0, "--p99", p99Millis, "more than 0 ms");
    require(workers >= 1 && workers <= 1024, "--workers", workers, "1 to 1024");
    require(mostUse > 0 && mostUse < 1, "--use", mostUse, "more than 0 and less than 1");
  }

  private static void require(boolean holds, String name, Number got, String expected) {
    if (!holds) {
      throw new InvalidScenarioException("%s: got %s, expected %s".formatted(name, got, expected));
    }
  }

  /// Each replica has a queue of its own: the balancer spreads arrivals evenly, and none is moved
  /// afterwards.
  public Queue replica(Service service, int replicas) {
    return new Queue(perSecond / replicas, arrivalVariability, service, workers);
  }

  /// The fewest replicas that keep the promise.
  ///
  /// @return empty if the service alone takes too long, or more than [#MOST_REPLICAS] are needed
  public Optional<Integer> replicas(Service service) {
    double workersNeeded = perSecond * service.meanMillis() / 1e3 / mostUse;
    if (service.p99Millis() > p99Millis || workersNeeded / workers > MOST_REPLICAS) {
      return Optional.empty();
    }
    // Fewer arrivals never make a queue longer, so the first that does is found by halving.
    int low = Math.max(1, (int) Math.ceil(workersNeeded / workers - 1e-9));
    int high = MOST_REPLICAS;
    if (replica(service, high).p99Millis() > p99Millis) {
      return Optional.empty();
    }
    while (low < high) {
      int middle = low + (high - low) / 2;
      if (replica(service, middle).p99Millis() <= p99Millis) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return Optional.of(low);
  }

  /// The highest rate that a number of replicas takes within the promise: its knee.
  public double knee(Service service, int replicas) {
    double low = 0;
    double high = replicas * workers * 1e3 / service.meanMillis();
    for (int i = 0; i < 50; i++) {
      double middle = (low + high) / 2;
      Plan at = new Plan(middle, arrivalVariability, p99Millis, workers, mostUse);
      if (at.replica(service, replicas).p99Millis() <= p99Millis) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
