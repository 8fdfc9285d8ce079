package dev.strata.loadtest;

import dev.strata.loadtest.report.AnswerCheck;
import dev.strata.loadtest.report.KneeFigures;
import dev.strata.loadtest.report.KneeReport;
import dev.strata.loadtest.report.ReportFiles;
import dev.strata.loadtest.report.RunSummary;
import dev.strata.loadtest.report.Summary;
import dev.strata.loadtest.report.TextReport;
import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.scenario.InvalidScenarioException;
import dev.strata.loadtest.scenario.Payload;
import dev.strata.loadtest.scenario.Phase;
import dev.strata.loadtest.scenario.Scenario;
import dev.strata.loadtest.scenario.ScenarioFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/// `strata loadtest knee`.
@Command(
    name = "knee",
    description =
        "Find the highest rate at which every request is answered and the 99th percentile stays"
            + " within a target, for each call of a scenario and each width.")
final class KneeCommand implements Callable<Integer> {
  private static final int HALVINGS = 4;
  private static final int WARM_UP_USERS = 2;

  @ParentCommand private LoadTestCommand parent;

  @Parameters(paramLabel = "SCENARIO", description = "Its calls are used, its phases are not.")
  private Path file;

  @Mixin private LoadTestCommand.TargetOptions target;

  @Option(
      names = "--p99",
      required = true,
      paramLabel = "MS",
      description = "Target of the 99th percentile in milliseconds.")
  private double millis;

  @Option(
      names = "--bits",
      split = ",",
      paramLabel = "N",
      description = "Widths to try instead of the precisions that the calls ask for.")
  private List<Integer> widths = List.of();

  @Option(
      names = "--seconds",
      defaultValue = "5",
      paramLabel = "S",
      description = "Length of one trial (default ${DEFAULT-VALUE}).")
  private double seconds;

  @Option(
      names = "--rate",
      defaultValue = "10",
      paramLabel = "N",
      description = "First rate, requests a second (default ${DEFAULT-VALUE}).")
  private double rate;

  @Option(names = "--json", paramLabel = "FILE", description = "Write every trial as JSON.")
  private Path json;

  @Option(names = "--html", paramLabel = "FILE", description = "Write a report with plots.")
  private Path html;

  @Override
  public Integer call() throws IOException, InterruptedException {
    require(millis > 0, "--p99", millis, "more than 0 ms");
    require(seconds > 0, "--seconds", seconds, "more than 0");
    require(rate > 0, "--rate", rate, "more than 0");
    for (int bits : widths) {
      require(bits >= 1 && bits <= 8, "--bits", bits, "1 to 8");
    }
    Scenario scenario = target.applied(ScenarioFile.read(file));
    PrintWriter out = parent.out();
    out.println(KneeReport.heading());
    KneeSearch search = new KneeSearch(millis, rate, HALVINGS);
    List<KneeFigures.Knee> knees = new ArrayList<>();
    List<Call> calls = calls(scenario);
    for (Call call : calls) {
      warmUp(scenario, call);
    }
    for (Call call : calls) {
      KneeSearch.Found found = search.find(at -> trial(scenario, call, at));
      KneeFigures.Knee knee =
          new KneeFigures.Knee(call.name(), call.wish(), found.rate(), found.trials());
      knees.add(knee);
      out.println(KneeReport.line(knee));
      if (knee.rate() == 0) {
        out.print(TextReport.trouble(knee.best().summary()));
      }
      out.flush();
    }
    KneeFigures figures = new KneeFigures(scenario.name(), millis, knees);
    if (json != null) {
      ReportFiles.write(json, figures);
    }
    if (html != null) {
      KneeReport.write(html, figures);
    }
    boolean lost =
        knees.stream()
            .anyMatch(knee -> knee.rate() == 0 && knee.best().summary().failedTotal() > 0);
    return lost ? LoadTestCommand.FAILED : LoadTestCommand.OK;
  }

  /// A server that was just started, or has not yet run at this width, would be judged cold.
  private void warmUp(Scenario scenario, Call call) throws InterruptedException {
    run(scenario, call, new Phase.Closed(seconds, WARM_UP_USERS), Integer.MAX_VALUE);
  }

  /// Poisson arrivals are never twice as many as expected, and a hundred more.
  private RunSummary trial(Scenario scenario, Call call, double at) throws InterruptedException {
    int requests = (int) Math.min(2 * at * seconds + 100, Integer.MAX_VALUE);
    return run(scenario, call, new Phase.Open(seconds, at, at, true), requests);
  }

  /// The scenario's own bounds are for its phases: at a high rate they would end a trial before its
  /// time.
  private RunSummary run(Scenario scenario, Call call, Phase phase, int requests)
      throws InterruptedException {
    Scenario.Limits limits = new Scenario.Limits(seconds, requests, scenario.limits().inFlight());
    return Summary.of(
        parent.drive(
            scenario.withCalls(List.of(call)).withPhases(List.of(phase)).withLimits(limits)),
        AnswerCheck.fresh());
  }

  private List<Call> calls(Scenario scenario) {
    return widths.isEmpty()
        ? scenario.calls()
        : targets(scenario).stream().flatMap(call -> widths.stream().map(call::at)).toList();
  }

  /// Calls that differ in the precision only are one, named after what is called.
  private static Collection<Call> targets(Scenario scenario) {
    record Key(String model, Call.Protocol protocol, List<String> payloads) {}
    Map<String, Call> targets = new LinkedHashMap<>();
    Set<Key> seen = new HashSet<>();
    for (Call call : scenario.calls()) {
      List<String> payloads = call.payloads().stream().map(Payload::id).toList();
      if (seen.add(new Key(call.model(), call.protocol(), payloads))) {
        String via = call.protocol() == Call.Protocol.REST ? "REST" : "gRPC";
        String plain = "%s over %s".formatted(call.model(), via);
        String name = targets.containsKey(plain) ? "%s, %s".formatted(plain, call.name()) : plain;
        targets.put(name, call.named(name));
      }
    }
    return targets.values();
  }

  private static void require(boolean holds, String option, Number got, String expected) {
    if (!holds) {
      throw new InvalidScenarioException(
          "%s: got %s, expected %s".formatted(option, got, expected));
    }
  }
}
