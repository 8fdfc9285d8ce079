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
import java.util.stream.Stream;

/// From the embedded models and training studies to the page.
public final class AccuracyReport {
  private final AccuracyStudy study;
  private final List<TrainingStudy> trainings;

  public AccuracyReport(AccuracyStudy study, List<TrainingStudy> trainings) {
    this.study = study;
    this.trainings = List.copyOf(trainings);
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
    List<TrainedSection> trained = new ArrayList<>();
    for (TrainingStudy training : trainings) {
      trained.add(new TrainedSection(training.execute(progress)));
    }
    new AccuracyPage(page, command, LocalDate.now(ZoneOffset.UTC)).write(measured, trained);
    Stream<GoalRow> goals =
        Stream.concat(
            measured.stream().flatMap(Goal::of),
            trained.stream().flatMap(section -> section.goals().stream()));
    return goals.filter(goal -> !goal.isMet()).map(GoalRow::words).toList();
  }
}
