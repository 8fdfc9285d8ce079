package dev.strata.trainer.cli;

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
      InspectCommand.class,
      SliceCommand.class,
      PredictCommand.class,
      EvalCommand.class,
      BenchCommand.class,
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
    System.exit(run(arguments));
  }

  /// @return the exit code
  static int run(String... arguments) {
    StrataCommand root = new StrataCommand();
    return new CommandLine(root)
        .setExecutionExceptionHandler(new FailureReport(root))
        .setCaseInsensitiveEnumValuesAllowed(true)
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
