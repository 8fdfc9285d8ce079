package dev.strata.trainer.accuracy;

import dev.strata.trainer.quantize.QuantizationProgress;
import dev.strata.trainer.repository.EmbeddedModel;
import dev.strata.trainer.repository.ImportFolder;
import dev.strata.trainer.training.TrainingStudy;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// From the embedded models and a training study to the page.
public final class AccuracyReport {
  private final AccuracyStudy study;
  private final Optional<TrainingStudy> training;

  public AccuracyReport(AccuracyStudy study, Optional<TrainingStudy> training) {
    this.study = study;
    this.training = training;
  }

  /// Measures and writes.
  ///
  /// @param page the Markdown file; what is measured now replaces what stands there of it
  /// @param command how to make it again
  /// @return goals that were missed, in words
  public List<String> write(
      List<EmbeddedModel> models, Path page, String command, QuantizationProgress progress)
      throws IOException {
    List<ModelAccuracy> measured = new ArrayList<>();
    for (EmbeddedModel model : models) {
      try (ImportFolder work = ImportFolder.create()) {
        measured.add(
            study.measure(
                model,
                work.path(),
                (stage, done, total) ->
                    progress.advanced(model.modelName() + ": " + stage, done, total)));
      }
    }
    Optional<TrainedSection> trained = Optional.empty();
    if (training.isPresent()) {
      trained = Optional.of(new TrainedSection(training.get().execute(progress)));
    }
    List<GoalRow> goals = new ArrayList<>(measured.stream().flatMap(Goal::of).toList());
    trained.ifPresent(section -> goals.addAll(section.goals()));
    new AccuracyPage(page, command, LocalDate.now(ZoneOffset.UTC)).write(measured, trained);
    return goals.stream().filter(goal -> !goal.isMet()).map(GoalRow::words).toList();
  }
}
