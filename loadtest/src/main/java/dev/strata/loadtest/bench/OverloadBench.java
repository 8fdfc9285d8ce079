package dev.strata.loadtest.bench;

import dev.strata.loadtest.report.RunSummary;
import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.scenario.Phase;
import dev.strata.loadtest.scenario.Scenario;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// More requests than a model can answer at 8 bits, at the same times twice: as `auto`, which may
/// lose bits, and at exactly 8 bits, which the server can only refuse. Once with MiniLM, whose
/// batches hardly take less time at fewer bits, and once with a model whose time goes with them.
final class OverloadBench {
  private static final String MINILM = "minilm";

  /// A server on one slow processor still compiles its own code after half a minute.
  private static final double WARM_UP_SECONDS = 40;

  private static final int USERS = 16;

  /// A rate is in vain where fewer than so many times the most so far are answered in time; so many
  /// such rates, each higher than the last by a step, end the search. One alone may be a bad
  /// moment.
  private static final double ENOUGH_MORE = 1.05;

  private static final int PATIENCE = 3;
  private static final double STEP = 1.4;

  private static final double[] LOADS = {0.5, 1, 2, 5};
  private static final long CALM_SECONDS = 2;

  /// Of each load; the calls take turns, since a machine has better and worse minutes.
  private static final int ROUNDS = 3;

  /// A queue that suits the scenarios' deadline of 100 ms.
  private static final String SETTINGS =
      "queue: {target: 20ms, limit: 80ms}\nprecision: {min: 2}\n";

  private OverloadBench() {}

  /// @param seconds of each run
  static void run(Bench bench, double seconds) throws IOException, InterruptedException {
    Path layers = Files.createTempDirectory(bench.work(), "layers");
    LayersModel.importTo(layers, bench.root());
    Files.writeString(
        layers.resolve(LayersModel.NAME).resolve("model.yaml"),
        SETTINGS + "batching: {max-rows: 1}\n");
    run(bench, seconds, layers, "layers");
    run(bench, seconds, miniLm(bench), "sentences");
  }

  private static void run(Bench bench, double seconds, Path repository, String name)
      throws IOException, InterruptedException {
    try (GatewayProcess gateway = bench.start(repository, Map.of())) {
      Scenario scenario = bench.scenario(name, gateway);
      List<Call> calls = scenario.calls();
      for (Call call : calls) {
        Bench.drive(scenario, call, new Phase.Closed(WARM_UP_SECONDS, USERS));
      }
      double capacity = capacity(scenario, calls.getLast(), seconds);
      bench.line("%n%s: capacity at 8 bits %.0f requests a second.%n", name, capacity);
      bench.line(
          "| load | asked as | offered/s | in time/s | refused/s | p50, mean of widths | p99, worst width | mean bits |");
      bench.line("| --- | --- | --- | --- | --- | --- | --- | --- |");
      for (double load : LOADS) {
        double rate = capacity * load;
        Map<Call, List<RunSummary>> runs = new LinkedHashMap<>();
        for (int round = 0; round < ROUNDS; round++) {
          for (Call call : calls) {
            TimeUnit.SECONDS.sleep(CALM_SECONDS);
            runs.computeIfAbsent(call, _ -> new ArrayList<>())
                .add(Bench.drive(scenario, call, new Phase.Open(seconds, rate, rate, true)));
          }
        }
        runs.forEach((call, summaries) -> row(bench, load, call, median(summaries)));
      }
    }
  }

  /// What is answered in time when more does not help any more. A closed loop alone would not
  /// tell: its users wait for their own answers, leave batches half empty, and ask again at once
  /// when they are refused.
  private static double capacity(Scenario scenario, Call exact, double seconds)
      throws InterruptedException {
    RunSummary closed = Bench.drive(scenario, exact, new Phase.Closed(seconds, USERS));
    double most = closed.answered() / closed.seconds();
    double rate = most;
    int inVain = 0;
    while (inVain < PATIENCE) {
      rate *= STEP;
      double goodput =
          Bench.drive(scenario, exact, new Phase.Open(seconds, rate, rate, true)).goodput();
      inVain = goodput < ENOUGH_MORE * most ? inVain + 1 : 0;
      most = Math.max(most, goodput);
    }
    return most;
  }

  /// The run that answered neither most nor least in time.
  private static RunSummary median(List<RunSummary> runs) {
    return runs.stream()
        .sorted(Comparator.comparingDouble(RunSummary::goodput))
        .skip(runs.size() / 2)
        .findFirst()
        .orElseThrow();
  }

  private static Path miniLm(Bench bench) throws IOException {
    Path source = bench.repository(MINILM).resolve(MINILM).toRealPath();
    Path repository = Files.createTempDirectory(bench.work(), "overload");
    Path model = Files.createDirectory(repository.resolve(MINILM));
    try (DirectoryStream<Path> versions = Files.newDirectoryStream(source, "[0-9]*")) {
      for (Path version : versions) {
        Files.createSymbolicLink(model.resolve(version.getFileName()), version);
      }
    }
    Files.writeString(model.resolve("model.yaml"), SETTINGS);
    return repository;
  }

  private static void row(Bench bench, double load, Call call, RunSummary summary) {
    double seconds = summary.seconds();
    long answered = summary.rows().stream().mapToLong(RunSummary.Row::answered).sum();
    double bits =
        summary.rows().stream().mapToDouble(row -> (double) row.bits() * row.answered()).sum()
            / answered;
    bench.line(
        "| %.1f | %s | %.0f | %.0f | %.0f | %.0f ms | %.0f ms | %.1f |",
        load,
        call.name(),
        (summary.sent() + summary.notSent()) / seconds,
        summary.goodput(),
        summary.refusedTotal() / seconds,
        summary.rows().stream().mapToDouble(row -> row.latency().p50() * row.answered()).sum()
            / answered,
        summary.rows().stream().mapToDouble(row -> row.latency().p99()).max().orElse(0),
        bits);
  }
}
