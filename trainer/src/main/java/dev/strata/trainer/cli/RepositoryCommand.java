package dev.strata.trainer.cli;

import dev.strata.trainer.onnx.ModelImportException;
import dev.strata.trainer.repository.EmbeddedModel;
import dev.strata.trainer.repository.EmbeddedRepository;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Makes model repositories.
@Command(
    name = "repository",
    description = "Make the embedded models.",
    subcommands = RepositoryCommand.Prepare.class)
final class RepositoryCommand implements Runnable {

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new picocli.CommandLine.ParameterException(spec.commandLine(), "Missing command.");
  }

  /// Imports what is missing.
  @Command(
      name = "prepare",
      description =
          "Import the embedded models that are missing or outdated to TARGET/NAME/1/model.strata"
              + " and measure their quality. A model appears when it is complete; one that takes long"
              + " to tune is there before, untuned, and is replaced.")
  static final class Prepare implements Callable<Integer> {

    @Option(
        names = "--packages",
        required = true,
        paramLabel = "DIR",
        description = "Folder with the Maven packages that bring the networks.")
    private Path packages;

    @Option(
        names = "--target",
        required = true,
        paramLabel = "DIR",
        description = "Folder of the model repository.")
    private Path target;

    @Option(
        names = "--model",
        split = ",",
        paramLabel = "NAME",
        description = "Only these models; default: all.")
    private List<String> names = List.of();

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      EmbeddedRepository repository = new EmbeddedRepository(packages, target);
      PrintWriter out = spec.commandLine().getOut();
      int exitCode = ExitCode.OK;
      List<EmbeddedModel> drafted = new ArrayList<>();
      for (EmbeddedModel model : named(names)) {
        if (repository.isUpToDate(model)) {
          out.printf("%s: up to date%n", model.modelName());
        } else {
          boolean draft = repository.wantsDraft(model);
          int ended = prepare(repository, model, draft, out);
          exitCode = Math.max(exitCode, ended);
          if (draft && ended == ExitCode.OK) {
            drafted.add(model);
          }
        }
        out.flush();
      }
      for (EmbeddedModel model : drafted) {
        exitCode = Math.max(exitCode, prepare(repository, model, false, out));
        out.flush();
      }
      return exitCode;
    }

    /// One model that cannot be made does not keep the others from being made.
    private int prepare(
        EmbeddedRepository repository, EmbeddedModel model, boolean draft, PrintWriter out) {
      long start = System.nanoTime();
      try (Progress progress = Progress.on(model.modelName())) {
        progress.advanced("reading", 0, 0);
        repository.prepare(model, draft, progress::advanced);
      } catch (NoSuchFileException missing) {
        return failed(model, "there is no " + missing.getFile());
      } catch (IOException | ModelImportException | IllegalArgumentException failure) {
        return failed(model, failure.getMessage());
      }
      Path file = repository.artifact(model);
      out.printf(
          "%s: %s, %,d bytes, %d s%n",
          model.modelName(),
          draft ? "ready as a draft, to be tuned" : "ready",
          size(file),
          (System.nanoTime() - start) / 1_000_000_000);
      return ExitCode.OK;
    }

    private int failed(EmbeddedModel model, String why) {
      spec.commandLine().getErr().printf("strata: %s: %s%n", model.modelName(), why);
      return ExitCode.FAILED;
    }

    private static long size(Path file) {
      try {
        return Files.size(file);
      } catch (IOException gone) {
        throw new java.io.UncheckedIOException(gone);
      }
    }
  }

  /// @param names of embedded models; none means all
  static List<EmbeddedModel> named(List<String> names) {
    List<String> known =
        Arrays.stream(EmbeddedModel.values()).map(EmbeddedModel::modelName).toList();
    for (String name : names) {
      if (!known.contains(name)) {
        throw CommandFailure.usage("--model: got '%s', expected one of %s".formatted(name, known));
      }
    }
    return Arrays.stream(EmbeddedModel.values())
        .filter(model -> names.isEmpty() || names.contains(model.modelName()))
        .toList();
  }
}
