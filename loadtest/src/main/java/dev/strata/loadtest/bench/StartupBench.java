package dev.strata.loadtest.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;

/// From the call of the start script to readiness and to the first answer, and the memory after it,
/// with the embedded model. Files are in the page cache, since a first start puts them there.
final class StartupBench {

  private record Case(String name, List<String> jvm) {}

  private static final List<Case> CASES =
      List.of(
          new Case("ahead-of-time cache", List.of()),
          new Case("without", List.of("-XX:AOTMode=off")));

  /// After that the JVM has given back what it took for compiling: `TrimNativeHeapInterval`.
  private static final Duration SETTLING = Duration.ofSeconds(12);

  /// Seconds and megabytes; the last three when it has settled.
  private record Start(
      double ready,
      double answered,
      double resident,
      double settled,
      double anonymous,
      double planes) {}

  private StartupBench() {}

  /// @param runs of each case, taking turns
  static void run(Bench bench, int runs) throws IOException, InterruptedException {
    byte[] picture = Files.readAllBytes(bench.root().resolve("docs/examples/ankle-boot.png"));
    Start[][] starts = new Start[CASES.size()][runs];
    start(bench, CASES.getFirst(), picture);
    for (int run = 0; run < runs; run++) {
      for (int i = 0; i < CASES.size(); i++) {
        starts[i][run] = start(bench, CASES.get(i), picture);
      }
    }
    bench.line(
        "| start | ready, median | worst | first answer, median | worst | resident then | after %d s"
            + " | of it anonymous | planes |",
        SETTLING.toSeconds());
    bench.line("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (int i = 0; i < CASES.size(); i++) {
      double[] ready = figures(starts[i], Start::ready);
      double[] answered = figures(starts[i], Start::answered);
      bench.line(
          "| %s | %.2f s | %.2f s | %.2f s | %.2f s | %.0f MB | %.0f MB | %.0f MB | %.2f MB |",
          CASES.get(i).name(),
          Bench.median(ready),
          Arrays.stream(ready).max().orElseThrow(),
          Bench.median(answered),
          Arrays.stream(answered).max().orElseThrow(),
          Bench.median(figures(starts[i], Start::resident)),
          Bench.median(figures(starts[i], Start::settled)),
          Bench.median(figures(starts[i], Start::anonymous)),
          Bench.median(figures(starts[i], Start::planes)));
    }
  }

  private static double[] figures(Start[] starts, ToDoubleFunction<Start> figure) {
    return Arrays.stream(starts).mapToDouble(figure).toArray();
  }

  private static Start start(Bench bench, Case of, byte[] picture)
      throws IOException, InterruptedException {
    GatewayProcess.Setup setup =
        new GatewayProcess.Setup(
            bench.root(), List.of(bench.embedded()), Map.of(), bench.cpu(), of.jvm());
    try (GatewayProcess gateway = GatewayProcess.start(setup)) {
      double ready = gateway.seconds();
      if (!gateway.classifies(picture)) {
        throw new IOException("the first request was not answered: " + gateway.log());
      }
      double answered = gateway.seconds();
      double resident = gateway.memory().resident() / 1e6;
      Thread.sleep(SETTLING);
      GatewayProcess.Memory settled = gateway.memory();
      return new Start(
          ready,
          answered,
          resident,
          settled.resident() / 1e6,
          settled.anonymous() / 1e6,
          planeBytes(gateway.get("/metrics").body()).orElse(0) / 1e6);
    }
  }

  private static OptionalDouble planeBytes(String metrics) {
    return metrics
        .lines()
        .filter(line -> line.startsWith("strata_plane_bytes{"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .reduce(Double::sum);
  }
}
