package dev.strata.loadtest.bench;

import dev.strata.loadtest.report.RunSummary;
import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.scenario.Phase;
import dev.strata.loadtest.scenario.Scenario;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// One resident copy: the memory of a gateway that serves MiniLM at all widths with four workers,
/// against one that serves it at 8 bits with one, after the same requests.
final class MemoryBench {
  private static final int USERS = 4;

  private record Case(String name, int workers, List<Integer> widths) {}

  private static final List<Case> CASES =
      List.of(
          new Case("8 bits, 1 worker", 1, List.of(8)),
          new Case("8 to 1 bits, 4 workers", 4, IntStream.rangeClosed(1, 8).boxed().toList()));

  private MemoryBench() {}

  /// @param seconds of load in each run
  /// @param rounds runs of each case, taking turns; medians are told
  static void run(Bench bench, double seconds, int rounds)
      throws IOException, InterruptedException {
    Path repository = bench.repository("minilm");
    double[][] resident = new double[CASES.size()][rounds];
    double[][] anonymous = new double[CASES.size()][rounds];
    double[][] mapped = new double[CASES.size()][rounds];
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < CASES.size(); i++) {
        GatewayProcess.Memory memory = measure(bench, repository, CASES.get(i), seconds);
        resident[i][round] = memory.resident() / 1e6;
        anonymous[i][round] = memory.anonymous() / 1e6;
        mapped[i][round] = memory.mapped() / 1e6;
      }
    }
    bench.line("| case | resident | anonymous | mapped |");
    bench.line("| --- | --- | --- | --- |");
    for (int i = 0; i < CASES.size(); i++) {
      bench.line(
          "| %s | %.1f MB | %.1f MB | %.1f MB |",
          CASES.get(i).name(),
          Bench.median(resident[i]),
          Bench.median(anonymous[i]),
          Bench.median(mapped[i]));
    }
    bench.line("");
    bench.line(
        "Ratio of resident memory: %.3f.", Bench.median(resident[1]) / Bench.median(resident[0]));
  }

  private static GatewayProcess.Memory measure(
      Bench bench, Path repository, Case of, double seconds)
      throws IOException, InterruptedException {
    Map<String, String> settings =
        Map.of("strata.scheduling.workers", Integer.toString(of.workers()));
    try (GatewayProcess gateway = bench.start(repository, settings)) {
      Scenario scenario = bench.scenario("sentences", gateway);
      Call call = scenario.calls().getFirst();
      for (int bits : of.widths()) {
        RunSummary summary =
            Bench.drive(
                scenario, call.at(bits), new Phase.Closed(seconds / of.widths().size(), USERS));
        if (summary.failedTotal() > 0 || summary.answered() == 0) {
          throw new IOException("requests failed: " + summary.failed());
        }
      }
      return gateway.memory();
    }
  }
}
