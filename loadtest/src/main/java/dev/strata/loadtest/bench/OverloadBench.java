package dev.strata.loadtest.bench;

import dev.strata.loadtest.report.RunSummary;
import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.scenario.Phase;
import dev.strata.loadtest.scenario.Scenario;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// More sentences than MiniLM can answer at 8 bits, at the same times twice: as `auto`, which may
/// lose bits, and at exactly 8 bits, which the server can only refuse.
final class OverloadBench {
  private static final String MODEL = "minilm";
  private static final double WARM_UP_SECONDS = 8;
  private static final int USERS = 16;
  private static final double[] LOADS = {0.5, 1, 1.2, 2, 5};
  private static final long CALM_SECONDS = 3;

  private OverloadBench() {}

  /// @param seconds of each run
  static void run(Bench bench, double seconds) throws IOException, InterruptedException {
    try (GatewayProcess gateway = bench.start(repository(bench), Map.of())) {
      Scenario scenario = bench.scenario("sentences", gateway);
      List<Call> calls = scenario.calls();
      for (Call call : calls) {
        Bench.drive(scenario, call, new Phase.Closed(WARM_UP_SECONDS, USERS));
      }
      Call exact = calls.getLast();
      RunSummary most = Bench.drive(scenario, exact, new Phase.Closed(seconds, USERS));
      double capacity = most.answered() / most.seconds();
      bench.line("Capacity at 8 bits: %.0f requests a second.%n", capacity);
      bench.line(
          "| load | asked as | offered/s | in time/s | refused/s | p50, mean of widths | p99, worst width | mean bits |");
      bench.line("| --- | --- | --- | --- | --- | --- | --- | --- |");
      for (double load : LOADS) {
        for (Call call : calls) {
          TimeUnit.SECONDS.sleep(CALM_SECONDS);
          double rate = capacity * load;
          RunSummary summary =
              Bench.drive(scenario, call, new Phase.Open(seconds, rate, rate, true));
          row(bench, load, call, summary);
        }
      }
    }
  }

  /// MiniLM, with a queue that suits the scenario's deadline of 100 ms.
  private static Path repository(Bench bench) throws IOException {
    Path source = bench.repository(MODEL).resolve(MODEL).toRealPath();
    Path repository = Files.createTempDirectory(bench.work(), "overload");
    Path model = Files.createDirectory(repository.resolve(MODEL));
    try (DirectoryStream<Path> versions = Files.newDirectoryStream(source, "[0-9]*")) {
      for (Path version : versions) {
        Files.createSymbolicLink(model.resolve(version.getFileName()), version);
      }
    }
    Files.writeString(
        model.resolve("model.yaml"), "queue: {target: 20ms, limit: 80ms}\nprecision: {min: 2}\n");
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
