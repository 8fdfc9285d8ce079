package dev.strata.trainer.accuracy;

import dev.strata.trainer.quantize.QuantizationProgress;
import dev.strata.trainer.repository.EmbeddedModel;
import dev.strata.trainer.repository.ImportFolder;
import dev.strata.trainer.training.TrainingStudy;
import java.io.IOException;
import java.nio.file.Path;
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
  /// @param page the Markdown file, replaced
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
    new AccuracyPage(measured, trained).write(page, command);
    List<String> missed = new ArrayList<>();
    trained.ifPresent(section -> missed.addAll(section.missed()));
    for (Goal goal : Goal.ALL) {
      for (ModelAccuracy model : measured) {
        if (model.name().equals(goal.model()) && !goal.isMet(model)) {
          missed.add(
              "%s at %d bits: %s is %.5f, goal %.4f"
                  .formatted(
                      goal.model(),
                      goal.bits(),
                      goal.metric(),
                      goal.found(model),
                      goal.least(model)));
        }
      }
    }
    return missed;
  }
}
