package dev.strata.loadtest.drive;

import dev.strata.loadtest.wire.Outcome;

/// One request of a run.
///
/// @param call index in the scenario
/// @param variant index of the payload in the call
/// @param intendedNanos when it should have started, from the beginning of the run; in a closed
///     loop, when it started
/// @param latencyNanos from the intended start to the end: what the server's caller waits,
///     including the time that a late start adds
public record Sample(
    int call, int variant, long intendedNanos, long latencyNanos, Outcome outcome) {

  public double latencyMillis() {
    return latencyNanos / 1e6;
  }

  public double startSeconds() {
    return intendedNanos / 1e9;
  }
}
