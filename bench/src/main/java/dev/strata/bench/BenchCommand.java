package dev.strata.bench;

import dev.strata.trainer.cli.FailureReport;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/// Root of the benchmarks.
@Command(
    name = "bench",
    description = "Measure kernels and models against their peers, taking turns.",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    usageHelpAutoWidth = true,
    subcommands = {KernelsCommand.class, ModelCommand.class})
public final class BenchCommand implements Runnable {

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show the stack trace of a failure.")
  private boolean debug;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  public static void main(String[] arguments) {
    Locale.setDefault(Locale.ROOT);
    System.exit(
        run(
            new PrintWriter(System.out, true, StandardCharsets.UTF_8),
            new PrintWriter(System.err, true, StandardCharsets.UTF_8),
            arguments));
  }

  /// @return the exit code
  static int run(PrintWriter out, PrintWriter err, String... arguments) {
    BenchCommand root = new BenchCommand();
    return new CommandLine(root)
        .setOut(out)
        .setErr(err)
        .setExecutionExceptionHandler(new FailureReport(() -> root.debug))
        .execute(arguments);
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Missing command.");
  }
}
