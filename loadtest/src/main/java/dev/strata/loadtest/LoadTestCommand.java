package dev.strata.loadtest;

import dev.strata.loadtest.drive.LoadDriver;
import dev.strata.loadtest.drive.Run;
import dev.strata.loadtest.report.AnswerCheck;
import dev.strata.loadtest.report.Comparison;
import dev.strata.loadtest.report.HtmlReport;
import dev.strata.loadtest.report.ReportFiles;
import dev.strata.loadtest.report.RunSummary;
import dev.strata.loadtest.report.Summary;
import dev.strata.loadtest.report.TextReport;
import dev.strata.loadtest.scenario.InvalidScenarioException;
import dev.strata.loadtest.scenario.Scenario;
import dev.strata.loadtest.scenario.ScenarioFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.IntConsumer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// `strata loadtest`.
@Command(
    name = "strata loadtest",
    description = "Load a server with requests at chosen widths and measure what it does.",
    mixinStandardHelpOptions = true,
    scope = CommandLine.ScopeType.INHERIT,
    usageHelpAutoWidth = true,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:requests were lost or answered wrongly, or a figure got worse",
      "2:the command line or the scenario was wrong"
    },
    subcommands = {
      LoadTestCommand.RunCommand.class,
      KneeCommand.class,
      LoadTestCommand.CompareCommand.class,
      CapacityCommand.class
    })
public final class LoadTestCommand implements Runnable {
  static final int OK = 0;
  static final int FAILED = 1;
  private static final int USAGE = 2;

  @Spec private CommandLine.Model.CommandSpec spec;

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
    return new CommandLine(new LoadTestCommand())
        .setOut(out)
        .setErr(err)
        .setExecutionExceptionHandler(
            (failure, command, _) -> {
              String message =
                  switch (failure) {
                    case InvalidScenarioException wrong -> wrong.getMessage();
                    case NoSuchFileException missing -> "there is no " + missing.getFile();
                    case IOException io -> io.toString();
                    default -> throw failure;
                  };
              command.getErr().println("strata: " + message);
              return USAGE;
            })
        .execute(arguments);
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Missing command.");
  }

  /// Options of the commands that send requests.
  static final class TargetOptions {
    @Option(names = "--rest", paramLabel = "URL", description = "REST address, http://host:port.")
    private String rest;

    @Option(names = "--grpc", paramLabel = "HOST:PORT", description = "gRPC address.")
    private String grpc;

    @Option(
        names = "--allow-remote",
        description = "Let the load leave this machine; otherwise only loopback addresses are.")
    private boolean remote;

    Scenario applied(Scenario scenario) {
      Scenario.Target target =
          new Scenario.Target(
              rest == null ? scenario.target().rest() : rest,
              grpc == null ? scenario.target().grpc() : grpc);
      requireLoopback("rest", URI.create(target.rest()).getHost());
      requireLoopback("grpc", URI.create("grpc://" + target.grpc()).getHost());
      return scenario.at(target);
    }

    private void requireLoopback(String key, String host) {
      boolean loopback =
          host != null
              && (host.equals("localhost") || host.startsWith("127.") || host.equals("[::1]"));
      if (!remote && !loopback) {
        throw new InvalidScenarioException(
            "target.%s: got host '%s', expected a loopback address or --allow-remote"
                .formatted(key, host));
      }
    }
  }

  @Command(name = "run", description = "Run a scenario once.")
  static final class RunCommand implements Callable<Integer> {
    @ParentCommand private LoadTestCommand parent;

    @Parameters(paramLabel = "SCENARIO", description = "A YAML file; see docs/loadtest.md.")
    private Path file;

    @CommandLine.Mixin private TargetOptions target;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the figures as JSON.")
    private Path json;

    @Option(names = "--html", paramLabel = "FILE", description = "Write a report with plots.")
    private Path html;

    @Option(
        names = "--record",
        paramLabel = "FILE",
        description = "Write what was answered, to check later runs by.")
    private Path record;

    @Option(
        names = "--check",
        paramLabel = "FILE",
        description = "Count answers that differ from the recorded ones as failed.")
    private Path check;

    @Override
    public Integer call() throws IOException, InterruptedException {
      Scenario scenario = target.applied(ScenarioFile.read(file));
      AnswerCheck answers = check == null ? AnswerCheck.fresh() : AnswerCheck.recorded(check);
      RunSummary summary = Summary.of(parent.drive(scenario), answers);
      parent.out().print(TextReport.of(summary));
      parent.out().flush();
      if (json != null) {
        ReportFiles.write(json, summary);
      }
      if (html != null) {
        HtmlReport.write(html, summary);
      }
      if (record != null) {
        answers.record(record);
      }
      return summary.failedTotal() == 0 ? OK : FAILED;
    }
  }

  @Command(name = "compare", description = "Compare the figures of two runs.")
  static final class CompareCommand implements Callable<Integer> {
    @ParentCommand private LoadTestCommand parent;

    @Parameters(index = "0", paramLabel = "BEFORE", description = "JSON file of the first run.")
    private Path before;

    @Parameters(index = "1", paramLabel = "AFTER", description = "JSON file of the second run.")
    private Path after;

    @Option(
        names = "--tolerance",
        defaultValue = "10",
        paramLabel = "PERCENT",
        description = "How much worse a figure may be (default ${DEFAULT-VALUE}).")
    private double percent;

    @Override
    public Integer call() throws IOException {
      Comparison comparison =
          Comparison.of(ReportFiles.read(before), ReportFiles.read(after), percent / 100);
      comparison.lines().forEach(parent.out()::println);
      comparison.worse().forEach(figure -> parent.out().println("worse: " + figure));
      parent.out().flush();
      return comparison.worse().isEmpty() ? OK : FAILED;
    }
  }

  PrintWriter out() {
    return spec.commandLine().getOut();
  }

  Run drive(Scenario scenario) throws InterruptedException {
    return LoadDriver.run(scenario, progress(scenario));
  }

  /// A line about every ten seconds.
  private IntConsumer progress(Scenario scenario) {
    PrintWriter err = spec.commandLine().getErr();
    int total = (int) Math.ceil(Math.min(scenario.seconds(), scenario.limits().seconds()));
    return second -> {
      if (second > 0 && second % 10 == 0) {
        err.printf("%s: %d of %d s%n", scenario.name(), second, total);
        err.flush();
      }
    };
  }
}
