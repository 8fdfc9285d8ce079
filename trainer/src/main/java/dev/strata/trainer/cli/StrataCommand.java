package dev.strata.trainer.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/// The command line's root.
@Command(
    name = "strata",
    description = "One layered model, a bit width per request.",
    mixinStandardHelpOptions = true,
    version = "strata 0.1.0",
    scope = ScopeType.INHERIT,
    usageHelpAutoWidth = true,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:the work failed",
      "2:the command line was wrong",
      "3:an input file is missing, damaged or of the wrong kind"
    },
    subcommands = {
      ImportCommand.class,
      TrainCommand.class,
      InspectCommand.class,
      SliceCommand.class,
      KeygenCommand.class,
      SignCommand.class,
      PredictCommand.class,
      EvalCommand.class,
      AccuracyCommand.class,
      RepositoryCommand.class
    })
public final class StrataCommand implements Runnable {

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show the stack trace of a failure.")
  private boolean debug;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  public static void main(String[] arguments) {
    // Numbers in tables and artifacts look the same everywhere.
    Locale.setDefault(Locale.ROOT);
    System.exit(
        run(
            new PrintWriter(System.out, true, StandardCharsets.UTF_8),
            new PrintWriter(System.err, true, StandardCharsets.UTF_8),
            arguments));
  }

  /// @return the exit code
  static int run(PrintWriter out, PrintWriter err, String... arguments) {
    StrataCommand root = new StrataCommand();
    return new CommandLine(root)
        .setOut(out)
        .setErr(err)
        .setExecutionExceptionHandler(new FailureReport(root::debug))
        .execute(arguments);
  }

  boolean debug() {
    return debug;
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Missing command.");
  }
}
