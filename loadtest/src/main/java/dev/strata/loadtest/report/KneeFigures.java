package dev.strata.loadtest.report;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// The knees of a scenario's calls, with every trial that led to them.
///
/// @param p99Millis target of the 99th percentile
/// @param knees in the order in which they were looked for
public record KneeFigures(
    String scenario, @JsonProperty("p99_ms") double p99Millis, List<Knee> knees) {

  public KneeFigures {
    knees = List.copyOf(knees);
  }

  /// @param target what was called, without the precision
  /// @param wish the precision asked for
  /// @param rate requests a second, the highest that was taken; 0 if none was
  /// @param trials from the lowest rate to the highest
  public record Knee(String target, String wish, double rate, List<Trial> trials) {
    public Knee {
      trials = trials.stream().sorted(Comparator.comparingDouble(Trial::rate)).toList();
    }

    /// The trial at the knee; without a knee the one at the lowest rate at which anything was sent.
    public Trial best() {
      Trial lowest =
          trials.stream()
              .filter(trial -> trial.summary().sent() > 0)
              .findFirst()
              .orElse(trials.getFirst());
      return trials.stream().filter(Trial::held).reduce((_, last) -> last).orElse(lowest);
    }
  }

  /// @param rate requests a second
  /// @param held whether everything was answered, and within the target
  public record Trial(double rate, boolean held, RunSummary summary) {

    /// The worst over the widths that were served; empty without answers.
    public Optional<Double> p99Millis() {
      return summary.rows().stream().map(row -> row.latency().p99()).max(Double::compare);
    }

    /// The answers at the width that most were served at; empty without answers.
    public Optional<RunSummary.Row> usual() {
      return summary.rows().stream().max(Comparator.comparingLong(RunSummary.Row::answered));
    }
  }
}
