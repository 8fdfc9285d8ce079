package dev.strata.trainer.cli;

import dev.strata.precision.Bits;
import dev.strata.trainer.training.TrainingRun;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Trains a network for all widths at once.
@Command(
    name = "train",
    description = {
      "Train a network and write it as a layered artifact with the measured quality of every"
          + " precision.",
      "A stopped run goes on from its last epoch when it is started again."
    })
final class TrainCommand implements Callable<Integer> {

  @Parameters(paramLabel = "RUN.yaml", description = "The run; docs/training.md lists its keys.")
  private Path runFile;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      required = true,
      description = "The artifact to write.")
  private Path output;

  @Option(
      names = "--datasets",
      paramLabel = "DIR",
      defaultValue = "/usr/share/datasets",
      description = "Where packaged data sets lie (default ${DEFAULT-VALUE}).")
  private Path datasets;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Path folder = output.toAbsolutePath().getParent();
    if (!Files.isDirectory(folder)) {
      throw CommandFailure.badInput("--output: there is no directory '%s'".formatted(folder));
    }
    TrainingRun.Result result;
    try (Progress progress = Progress.on(runFile.getFileName().toString())) {
      result = TrainingRun.execute(runFile, output, datasets, progress::advanced);
    }
    PrintWriter out = spec.commandLine().getOut();
    result.floatAccuracy().ifPresent(value -> out.printf("floats  %.2f %%%n", 100 * value));
    for (Map.Entry<Bits, Double> width : result.accuracies().entrySet()) {
      out.printf("%d bits  %.2f %%%n", width.getKey().count(), 100 * width.getValue());
    }
    if (result.steps() > 0) {
      out.printf(
          "%d steps in %.0f s, %.3f s a step%n",
          result.steps(), result.seconds(), result.seconds() / result.steps());
    }
    out.printf("%s: %,d bytes%n", output, Files.size(output));
    return ExitCode.OK;
  }
}
