package dev.strata.loadtest.bench;

import dev.strata.loadtest.drive.LoadDriver;
import dev.strata.loadtest.report.AnswerCheck;
import dev.strata.loadtest.report.RunSummary;
import dev.strata.loadtest.report.Summary;
import dev.strata.loadtest.scenario.Phase;
import dev.strata.loadtest.scenario.Scenario;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/// Gateways that are told to end under an open load. The load goes on for most of the time that a
/// load balancer takes to notice, and no request may be lost in it.
final class DrainBench {
  private static final double RATE = 50;
  private static final double SECONDS_BEFORE = 1;
  private static final double SECONDS_AFTER = 1.5;
  private static final Map<String, String> SETTINGS = Map.of("strata.shutdown.delay", "2s");

  private DrainBench() {}

  /// @return whether every request was answered
  static boolean run(Bench bench, int drains) throws IOException, InterruptedException {
    Path repository = bench.repository("fashion");
    long sent = 0;
    long answered = 0;
    double slowest = 0;
    for (int i = 0; i < drains; i++) {
      RunSummary summary = drain(bench, repository);
      sent += summary.sent();
      answered += summary.answered();
      slowest =
          Math.max(
              slowest,
              summary.rows().stream().mapToDouble(row -> row.latency().max()).max().orElse(0));
      summary.refused().forEach((code, count) -> bench.line("refused: %s x %d", code, count));
      summary.failed().forEach((what, count) -> bench.line("failed: %s x %d", what, count));
    }
    bench.line("| drains | requests | answered | lost | slowest |");
    bench.line("| --- | --- | --- | --- | --- |");
    bench.line("| %d | %d | %d | %d | %.0f ms |", drains, sent, answered, sent - answered, slowest);
    return answered == sent;
  }

  private static RunSummary drain(Bench bench, Path repository)
      throws IOException, InterruptedException {
    double seconds = SECONDS_BEFORE + SECONDS_AFTER;
    try (GatewayProcess gateway = bench.start(repository, SETTINGS);
        ExecutorService clients = Executors.newSingleThreadExecutor()) {
      Scenario scenario =
          bench
              .scenario("garments", gateway)
              .withPhases(List.of(new Phase.Open(seconds, RATE, RATE, true)));
      Callable<RunSummary> load =
          () -> Summary.of(LoadDriver.run(scenario, _ -> {}), AnswerCheck.fresh());
      Future<RunSummary> summary = clients.submit(load);
      TimeUnit.NANOSECONDS.sleep((long) (SECONDS_BEFORE * 1e9));
      gateway.terminate();
      return summary.get();
    } catch (ExecutionException failed) {
      throw new IOException(failed.getCause());
    }
  }
}
