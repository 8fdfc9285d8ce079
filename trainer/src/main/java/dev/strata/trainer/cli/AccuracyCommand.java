package dev.strata.trainer.cli;

import dev.strata.trainer.accuracy.AccuracyReport;
import dev.strata.trainer.accuracy.AccuracyStudy;
import dev.strata.trainer.repository.EmbeddedModel;
import dev.strata.trainer.training.RunFile;
import dev.strata.trainer.training.TrainingStudy;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Writes the page of accuracies.
@Command(
    name = "accuracy",
    description =
        "Import the embedded models anew, measure every width on the full test sets and write a"
            + " page of tables and plots that says which goals are met.")
final class AccuracyCommand implements Callable<Integer> {

  private static final int SHORT = 100;

  @Option(
      names = "--packages",
      required = true,
      paramLabel = "DIR",
      description = "Folder with the Maven packages that bring the networks.")
  private Path packages;

  @Option(
      names = "--fashion-mnist",
      required = true,
      paramLabel = "DIR",
      description = "Folder with the data set's t10k-*.gz files.")
  private Path fashionMnist;

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "FILE.md",
      description =
          "The page; plots go to 'images' beside it. What is not measured now stays in it.")
  private Path output;

  @Option(
      names = "--model",
      split = ",",
      paramLabel = "NAME",
      description = "Only these models; default: all, or with --train none.")
  private List<String> names = List.of();

  @Option(
      names = "--train",
      split = ",",
      paramLabel = "RUN.yaml",
      description = {
        "Train these runs once for all widths, for each width alone, cut from 8 bits and in"
            + " floats, and compare them. Takes an hour or more; what is in --trained is taken from"
            + " there."
      })
  private List<Path> runs = List.of();

  @Option(
      names = "--trained",
      paramLabel = "DIR",
      description = "Where trained artifacts are kept (default: 'trained' beside the page).")
  private Optional<Path> trained = Optional.empty();

  @Option(
      names = "--only-train",
      description =
          "Train what --train needs and is not in --trained, and end; no page is written.")
  private boolean onlyTrain;

  @Option(names = "--short", description = "At most 100 samples of each test set.")
  private boolean brief;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    List<EmbeddedModel> models =
        names.isEmpty() && !runs.isEmpty() ? List.of() : RepositoryCommand.named(names);
    AccuracyStudy study =
        new AccuracyStudy(packages, fashionMnist, brief ? SHORT : Integer.MAX_VALUE);
    String command =
        "./strata accuracy"
            + (names.isEmpty() ? "" : " --model " + String.join(",", names))
            + (runs.isEmpty() ? "" : " --train " + joined(runs))
            + (brief ? " --short" : "");
    List<TrainingStudy> trainings = new ArrayList<>();
    for (Path run : runs) {
      trainings.add(
          new TrainingStudy(
              RunFile.read(run),
              trained.orElse(output.toAbsolutePath().resolveSibling("trained")),
              fashionMnist.toAbsolutePath().getParent()));
    }
    if (onlyTrain) {
      return train(trainings);
    }
    List<String> missed;
    try (Progress progress = Progress.on("accuracy")) {
      missed =
          new AccuracyReport(study, trainings).write(models, output, command, progress::advanced);
    }
    PrintWriter out = spec.commandLine().getOut();
    missed.forEach(goal -> out.println("missed: " + goal));
    out.println("wrote " + output);
    out.flush();
    return ExitCode.OK;
  }

  private static String joined(List<Path> files) {
    return files.stream().map(Path::toString).collect(Collectors.joining(","));
  }

  private int train(List<TrainingStudy> studies) throws IOException {
    if (studies.isEmpty()) {
      throw new ParameterException(
          spec.commandLine(), "--only-train: got no run, expected --train RUN.yaml");
    }
    PrintWriter out = spec.commandLine().getOut();
    try (Progress progress = Progress.on("accuracy")) {
      for (TrainingStudy study : studies) {
        TrainingStudy.Outcome outcome = study.execute(progress::advanced);
        out.println(study.run().name() + ", once for all: " + outcome.once().accuracies());
        outcome
            .dedicated()
            .forEach(
                (bits, own) -> out.println(bits + " bits alone: " + own.accuracies().get(bits)));
      }
    }
    out.flush();
    return ExitCode.OK;
  }
}
