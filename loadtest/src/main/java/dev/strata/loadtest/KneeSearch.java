package dev.strata.loadtest;

import dev.strata.loadtest.report.KneeFigures.Trial;
import dev.strata.loadtest.report.RunSummary;
import java.util.ArrayList;
import java.util.List;

/// The highest rate that a server takes: every request answered, and the 99th percentile within a
/// target. Doubles the rate until one is too high, then halves the gap. A rate is too high when it
/// is so twice, for one hiccup of the machine decides a short trial's 99th percentile.
///
/// @param targetMillis for the 99th percentile, from the intended start
/// @param firstRate requests a second to begin with
/// @param halvings how often the gap is halved
record KneeSearch(double targetMillis, double firstRate, int halvings) {
  private static final int DOUBLINGS = 14;

  /// Runs the load at a rate.
  @FunctionalInterface
  interface Load {
    RunSummary at(double rate) throws InterruptedException;
  }

  /// @param rate highest that was taken; 0 if the first was too high
  /// @param trials one for each rate, as they were made
  record Found(double rate, List<Trial> trials) {
    Found {
      trials = List.copyOf(trials);
    }
  }

  Found find(Load load) throws InterruptedException {
    List<Trial> trials = new ArrayList<>();
    double taken = 0;
    double tooHigh = firstRate;
    for (int i = 0; i < DOUBLINGS && holds(load, tooHigh, trials); i++) {
      taken = tooHigh;
      tooHigh *= 2;
    }
    for (int i = 0; i < halvings; i++) {
      double middle = (taken + tooHigh) / 2;
      if (holds(load, middle, trials)) {
        taken = middle;
      } else {
        tooHigh = middle;
      }
    }
    return new Found(taken, trials);
  }

  private boolean holds(Load load, double rate, List<Trial> trials) throws InterruptedException {
    RunSummary summary = load.at(rate);
    if (!holds(summary)) {
      summary = load.at(rate);
    }
    boolean held = holds(summary);
    trials.add(new Trial(rate, held, summary));
    return held;
  }

  private boolean holds(RunSummary summary) {
    return summary.answered() == summary.sent()
        && summary.notSent() == 0
        && summary.answered() > 0
        && summary.rows().stream().allMatch(row -> row.latency().p99() <= targetMillis);
  }
}
