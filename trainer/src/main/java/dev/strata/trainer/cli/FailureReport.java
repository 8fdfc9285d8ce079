package dev.strata.trainer.cli;

import dev.strata.artifact.CorruptArtifactException;
import dev.strata.model.InvalidInputException;
import dev.strata.trainer.onnx.ModelImportException;
import dev.strata.trainer.training.InvalidRunException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.function.BooleanSupplier;
import picocli.CommandLine;

/// Turns whatever a command throws into one sentence and an exit code; `--debug` shows the stack.
public final class FailureReport implements CommandLine.IExecutionExceptionHandler {

  private final BooleanSupplier debug;

  /// @param debug whether to show the stack
  public FailureReport(BooleanSupplier debug) {
    this.debug = debug;
  }

  @Override
  public int handleExecutionException(
      Exception failure, CommandLine command, CommandLine.ParseResult parsed) {
    Sentence sentence = sentence(failure);
    command.getErr().println("strata: " + sentence.text());
    if (debug.getAsBoolean()) {
      failure.printStackTrace(command.getErr());
    } else if (sentence.isOurFault()) {
      command.getErr().println("strata: run again with --debug to see where it happened.");
    }
    command.getErr().flush();
    return sentence.exitCode();
  }

  private record Sentence(int exitCode, String text, boolean isOurFault) {}

  private static Sentence sentence(Exception failure) {
    return switch (failure) {
      case CommandFailure told -> new Sentence(told.exitCode(), told.getMessage(), false);
      case CorruptArtifactException corrupt -> badInput(corrupt.getMessage());
      case ModelImportException unsupported -> badInput(unsupported.getMessage());
      case InvalidInputException input -> badInput(input.getMessage());
      case InvalidRunException run -> badInput(run.getMessage());
      case NoSuchFileException missing ->
          badInput("there is no file '%s'".formatted(missing.getFile()));
      case AccessDeniedException denied ->
          badInput("'%s' may not be read or written".formatted(denied.getFile()));
      case IOException io -> new Sentence(ExitCode.FAILED, message(io), false);
      case IllegalArgumentException bound -> new Sentence(ExitCode.FAILED, message(bound), false);
      default -> new Sentence(ExitCode.FAILED, "unexpected: " + failure, true);
    };
  }

  private static Sentence badInput(String message) {
    return new Sentence(ExitCode.BAD_INPUT, message, false);
  }

  private static String message(Exception failure) {
    return failure.getMessage() == null ? failure.toString() : failure.getMessage();
  }
}
