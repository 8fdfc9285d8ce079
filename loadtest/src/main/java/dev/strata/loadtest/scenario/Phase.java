package dev.strata.loadtest.scenario;

import java.util.List;

/// A stretch of a run.
public sealed interface Phase {

  double seconds();

  /// Open loop: requests start when the clock says so, whatever the server does. A constant rate
  /// where both rates are equal, a ramp otherwise.
  ///
  /// @param rate requests a second at the beginning
  /// @param toRate requests a second at the end
  /// @param poisson gaps are exponential instead of equal
  record Open(double seconds, double rate, double toRate, boolean poisson) implements Phase {}

  /// Closed loop: each user sends the next request when it has the answer to the last one.
  record Closed(double seconds, int users) implements Phase {}

  /// Open loop at recorded times.
  ///
  /// @param seconds from the beginning of the phase to its last request, and a little more
  record Trace(double seconds, List<Arrival> arrivals) implements Phase {
    public Trace {
      arrivals = List.copyOf(arrivals);
    }

    /// @param atSeconds from the beginning of the phase
    /// @param call name of the call; empty to choose by weight
    public record Arrival(double atSeconds, String call) {}
  }
}
