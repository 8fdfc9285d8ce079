package dev.strata.loadtest.bench;

import dev.strata.loadtest.report.RunSummary;
import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.scenario.Phase;
import dev.strata.loadtest.scenario.Scenario;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// What a request costs beside its plan: from the client's call to its answer, less the time that
/// the worker computed. The client's own cost is in it.
final class OverheadBench {
  private static final double WARM_UP_SECONDS = 8;
  private static final int USERS = 8;

  private OverheadBench() {}

  /// @param seconds of each measurement
  static void run(Bench bench, double seconds) throws IOException, InterruptedException {
    Path repository = Files.createTempDirectory(bench.work(), "identity");
    IdentityModel.importTo(repository, bench.root());
    try (GatewayProcess gateway = bench.start(repository, Map.of())) {
      Scenario scenario = bench.scenario("identity", gateway);
      for (Call call : scenario.calls()) {
        Bench.drive(scenario, call, new Phase.Closed(WARM_UP_SECONDS, USERS));
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
}
