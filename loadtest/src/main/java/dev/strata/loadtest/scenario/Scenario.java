package dev.strata.loadtest.scenario;

import java.util.List;

/// What to ask, how often and how long. Made by [ScenarioFile]; bounded in count and time.
///
/// @param name for reports
/// @param target where the server is
/// @param seed of arrivals, mixes and payloads: the same seed gives the same requests
/// @param limits bounds that no phase crosses
/// @param deadlineMillis an answer later than this, counted from its intended start, is no goodput
/// @param warmUpSeconds answers of this long at the beginning are not measured
/// @param calls the mix
/// @param phases one after another
public record Scenario(
    String name,
    Target target,
    long seed,
    Limits limits,
    double deadlineMillis,
    double warmUpSeconds,
    List<Call> calls,
    List<Phase> phases) {

  public Scenario {
    calls = List.copyOf(calls);
    phases = List.copyOf(phases);
  }

  /// @param rest base address, `http://host:port`
  /// @param grpc `host:port`
  public record Target(String rest, String grpc) {}

  /// @param seconds longest duration of the whole run
  /// @param requests most requests of the whole run
  /// @param inFlight most requests without an answer; what would be more is counted as not sent
  public record Limits(double seconds, int requests, int inFlight) {}

  /// The longest phase, without what the limits cut.
  public double seconds() {
    return phases.stream().mapToDouble(Phase::seconds).sum();
  }

  public Scenario at(Target other) {
    return new Scenario(name, other, seed, limits, deadlineMillis, warmUpSeconds, calls, phases);
  }

  public Scenario withPhases(List<Phase> others) {
    return new Scenario(name, target, seed, limits, deadlineMillis, warmUpSeconds, calls, others);
  }

  public Scenario withCalls(List<Call> others) {
    return new Scenario(name, target, seed, limits, deadlineMillis, warmUpSeconds, others, phases);
  }

  public Scenario withLimits(Limits others) {
    return new Scenario(name, target, seed, others, deadlineMillis, warmUpSeconds, calls, phases);
  }
}
