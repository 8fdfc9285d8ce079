package dev.strata.loadtest.bench;

import dev.strata.loadtest.report.RunSummary;
import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.scenario.Phase;
import dev.strata.loadtest.scenario.Scenario;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// What a request costs beside its plan: from the client's call to its answer, less the time of the
/// computation. The client's own cost is in it.
final class OverheadBench {
  private static final int USERS = 8;

  /// Client and server are compiled while they run, which takes longer the slower the machine is:
  /// each is warm when rounds no longer get better.
  private static final double ROUND_SECONDS = 5;

  private static final int LEAST_ROUNDS = 4;
  private static final int MOST_ROUNDS = 16;
  private static final double BETTER = 1.05;

  private OverheadBench() {}

  /// @param seconds of each measurement
  static void run(Bench bench, double seconds) throws IOException, InterruptedException {
    Path repository = Files.createTempDirectory(bench.work(), "identity");
    IdentityModel.importTo(repository, bench.root());
    try (GatewayProcess gateway = bench.start(repository, Map.of())) {
      Scenario scenario = bench.scenario("identity", gateway);
      for (Call call : scenario.calls()) {
        warmUp(scenario, call);
      }
      bench.line(
          "| protocol | p50 alone | p99 alone | plan | overhead p50 | most a second | p50 at half | p99 at half |");
      bench.line("| --- | --- | --- | --- | --- | --- | --- | --- |");
      for (Call call : scenario.calls()) {
        RunSummary.Row alone =
            Bench.drive(scenario, call, new Phase.Closed(seconds, 1)).rows().getFirst();
        RunSummary most = Bench.drive(scenario, call, new Phase.Closed(seconds, USERS));
        double half = most.answered() / most.seconds() / 2;
        RunSummary.Row loaded =
            Bench.drive(scenario, call, new Phase.Open(seconds, half, half, true))
                .rows()
                .getFirst();
        double plan = alone.meanComputeMillis() * 1e3;
        bench.line(
            "| %s | %.0f us | %.0f us | %.0f us | %.0f us | %.0f | %.0f us | %.0f us |",
            call.name(),
            alone.latency().p50() * 1e3,
            alone.latency().p99() * 1e3,
            plan,
            alone.latency().p50() * 1e3 - plan,
            most.answered() / most.seconds(),
            loaded.latency().p50() * 1e3,
            loaded.latency().p99() * 1e3);
      }
    }
  }

  private static void warmUp(Scenario scenario, Call call) throws InterruptedException {
    double most = 0;
    for (int round = 1; round <= MOST_ROUNDS; round++) {
      RunSummary warm = Bench.drive(scenario, call, new Phase.Closed(ROUND_SECONDS, USERS));
      double rate = warm.answered() / warm.seconds();
      if (round > LEAST_ROUNDS && rate < BETTER * most) {
        return;
      }
      most = Math.max(most, rate);
    }
  }
}
