package dev.strata.loadtest.bench;

import dev.strata.loadtest.drive.LoadDriver;
import dev.strata.loadtest.report.AnswerCheck;
import dev.strata.loadtest.report.RunSummary;
import dev.strata.loadtest.report.Summary;
import dev.strata.loadtest.scenario.Phase;
import dev.strata.loadtest.scenario.Scenario;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/// New versions of a model put in place one after another under an open load: no request may be
/// lost or answered wrongly.
final class SwapBench {
  private static final double RATE = 100;
  private static final double SECONDS_EACH = 0.5;
  private static final double WARM_UP_SECONDS = 5;
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

  private SwapBench() {}

  /// @return whether every request was answered
  static boolean run(Bench bench, int swaps) throws IOException, InterruptedException {
    Path repository = Files.createTempDirectory(bench.work(), "swaps");
    put(bench, repository, 1);
    Map<String, String> settings = Map.of("strata.repository-poll", "100ms");
    try (GatewayProcess gateway = bench.start(repository, settings);
        ExecutorService operator = Executors.newSingleThreadExecutor()) {
      Scenario scenario = bench.scenario("garments", gateway);
      LoadDriver.run(scenario.withPhases(List.of(new Phase.Closed(WARM_UP_SECONDS, 2))), _ -> {});
      double seconds = swaps * SECONDS_EACH + 1;
      Phase load = new Phase.Open(seconds, RATE, RATE, true);
      Callable<Integer> swapping = () -> swap(bench, gateway, repository, swaps);
      Future<Integer> swapped = operator.submit(swapping);
      RunSummary summary =
          Summary.of(
              LoadDriver.run(bounded(scenario, seconds).withPhases(List.of(load)), _ -> {}),
              AnswerCheck.fresh());
      int done = swapped.get();
      bench.line("| swaps | requests | answered | refused | lost or wrong | p99, worst width |");
      bench.line("| --- | --- | --- | --- | --- | --- |");
      bench.line(
          "| %d | %d | %d | %d | %d | %.1f ms |",
          done,
          summary.sent(),
          summary.answered(),
          summary.refusedTotal(),
          summary.failedTotal(),
          summary.rows().stream().mapToDouble(row -> row.latency().p99()).max().orElse(0));
      summary.refused().forEach((code, count) -> bench.line("refused: %s x %d", code, count));
      summary.failed().forEach((what, count) -> bench.line("failed: %s x %d", what, count));
      return summary.answered() == summary.sent() && done == swaps;
    } catch (ExecutionException failed) {
      throw new IOException(failed.getCause());
    }
  }

  private static Scenario bounded(Scenario of, double seconds) {
    Scenario.Limits limits = new Scenario.Limits(seconds + 1, 10_000_000, 10_000);
    return new Scenario(
        of.name(), of.target(), of.seed(), limits, of.deadlineMillis(), 0, of.calls(), of.phases());
  }

  /// @return how many versions came into service
  private static int swap(Bench bench, GatewayProcess gateway, Path repository, int swaps)
      throws IOException, InterruptedException {
    int version = 1;
    for (int i = 0; i < swaps; i++) {
      long due = System.nanoTime() + (long) (SECONDS_EACH * 1e9);
      version++;
      put(bench, repository, version);
      long end = System.nanoTime() + PATIENCE_NANOS;
      while (!serves(gateway, version)) {
        if (System.nanoTime() > end) {
          return i;
        }
        TimeUnit.MILLISECONDS.sleep(10);
      }
      TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
    }
    return swaps;
  }

  private static boolean serves(GatewayProcess gateway, int version)
      throws IOException, InterruptedException {
    return gateway.get("/v2/models/fashion/versions/%d/ready".formatted(version)).statusCode()
        == 200;
  }

  private static void put(Bench bench, Path repository, int version) throws IOException {
    Path folder =
        Files.createDirectories(repository.resolve("fashion").resolve(Integer.toString(version)));
    Path arriving = folder.resolve("arriving");
    Files.copy(bench.embedded().resolve("fashion/1/model.strata"), arriving);
    Files.move(arriving, folder.resolve("model.strata"), StandardCopyOption.ATOMIC_MOVE);
  }
}
