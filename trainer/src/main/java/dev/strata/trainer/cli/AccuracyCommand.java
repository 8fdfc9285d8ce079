package dev.strata.trainer.cli;

import dev.strata.trainer.accuracy.AccuracyReport;
import dev.strata.trainer.accuracy.AccuracyStudy;
import dev.strata.trainer.repository.EmbeddedModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
      description = "The page; plots go to 'images' beside it.")
  private Path output;

  @Option(
      names = "--model",
      split = ",",
      paramLabel = "NAME",
      description = "Only these models; default: all.")
  private List<String> names = List.of();

  @Option(names = "--short", description = "At most 100 samples of each test set.")
  private boolean brief;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    List<EmbeddedModel> models = RepositoryCommand.named(names);
    AccuracyStudy study =
        new AccuracyStudy(packages, fashionMnist, brief ? SHORT : Integer.MAX_VALUE);
    String command =
        "./strata accuracy"
            + (names.isEmpty() ? "" : " --model " + String.join(",", names))
            + (brief ? " --short" : "");
    List<String> missed;
    try (Progress progress = Progress.on("accuracy")) {
      missed = new AccuracyReport(study).write(models, output, command, progress::advanced);
    }
    PrintWriter out = spec.commandLine().getOut();
    missed.forEach(goal -> out.println("missed: " + goal));
    out.println("wrote " + output);
    out.flush();
    return ExitCode.OK;
  }
}
