package dev.strata.loadtest;

import dev.strata.loadtest.report.RunSummary;

/// The highest rate that a server takes: every request answered, and the 99th percentile within a
/// target. Doubles the rate until one is too high, then halves the gap.
///
/// @param targetMillis for the 99th percentile, from the intended start
/// @param firstRate requests a second to begin with
/// @param halvings how often the gap is halved
record KneeSearch(double targetMillis, double firstRate, int halvings) {
  private static final int DOUBLINGS = 14;

  /// Runs the load at a rate.
  @FunctionalInterface
  interface Trial {
    RunSummary at(double rate) throws InterruptedException;
  }

  /// @param rate highest that was taken; 0 if the first was too high
  /// @param summary of the run at that rate; of the first run if none was taken
  record Knee(double rate, RunSummary summary) {}

  Knee find(Trial trial) throws InterruptedException {
    double taken = 0;
    double tooHigh = firstRate;
    RunSummary best = null;
    for (int i = 0; i < DOUBLINGS; i++) {
      RunSummary summary = trial.at(tooHigh);
      if (!holds(summary)) {
        best = best == null ? summary : best;
        break;
      }
      taken = tooHigh;
      best = summary;
      tooHigh *= 2;
    }
    for (int i = 0; i < halvings && taken < tooHigh; i++) {
      double middle = (taken + tooHigh) / 2;
      RunSummary summary = trial.at(middle);
      if (holds(summary)) {
        taken = middle;
        best = summary;
      } else {
        tooHigh = middle;
      }
    }
    return new Knee(taken, best);
  }

  private boolean holds(RunSummary summary) {
    return summary.answered() == summary.sent()
        && summary.notSent() == 0
        && summary.answered() > 0
        && summary.rows().stream().allMatch(row -> row.latency().p99() <= targetMillis);
  }
}
