package dev.strata.loadtest.drive;

import dev.strata.loadtest.scenario.Scenario;
import java.util.List;

/// What happened.
///
/// @param samples every request that was sent, by intended start
/// @param notSent requests that were due and would have crossed the bound on requests in flight
/// @param seconds from the first intended start to the last answer
public record Run(Scenario scenario, List<Sample> samples, long notSent, double seconds) {

  public Run {
    samples = List.copyOf(samples);
  }
}
