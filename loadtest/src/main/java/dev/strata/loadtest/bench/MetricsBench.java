package dev.strata.loadtest.bench;

import dev.strata.loadtest.bench.GatewayProcess.Setup;
import dev.strata.loadtest.report.RunSummary;
import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.scenario.Phase;
import dev.strata.loadtest.scenario.Scenario;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/// How much of a busy gateway's processor time goes into its metrics: the share of the flight
/// recorder's samples of it that are in them or in what they call. Samples are taken of the
/// processor time of Java threads, also of what they spend in the operating system and in kernels.
final class MetricsBench {
  private static final String OURS = "dev.strata.";
  private static final String METRICS = OURS + "gateway.metrics.";
  private static final String SAMPLE = "jdk.CPUTimeSample";
  private static final String EVERY = "2ms";
  private static final int USERS = 8;
  private static final double WARM_UP_SECONDS = 20;

  private MetricsBench() {}

  /// @param seconds of each protocol
  static void run(Bench bench, double seconds) throws IOException, InterruptedException {
    Path repository = Files.createTempDirectory(bench.work(), "identity");
    IdentityModel.importTo(repository, bench.root());
    bench.line("| protocol | answers a second | samples | in metrics | share |");
    bench.line("| --- | --- | --- | --- | --- |");
    Path recording = bench.work().resolve("gateway.jfr");
    Setup setup =
        new Setup(
            bench.root(),
            List.of(repository),
            Map.of("strata.shutdown.delay", "0s"),
            bench.cpu(),
            List.of(
                "-XX:StartFlightRecording:settings=none,%1$s#enabled=true,%1$s#throttle=%2$s,dumponexit=true,filename=%3$s"
                    .formatted(SAMPLE, EVERY, recording)));
    for (int index = 0; index < 2; index++) {
      Instant begin;
      Instant end;
      Call call;
      RunSummary loaded;
      try (GatewayProcess gateway = GatewayProcess.start(setup)) {
        Scenario scenario = bench.scenario("identity", gateway);
        call = scenario.calls().get(index);
        Bench.drive(scenario, call, new Phase.Closed(WARM_UP_SECONDS, USERS));
        begin = Instant.now();
        loaded = Bench.drive(scenario, call, new Phase.Closed(seconds, USERS));
        end = Instant.now();
        gateway.terminate();
      }
      long samples = 0;
      long inMetrics = 0;
      try (RecordingFile events = new RecordingFile(recording)) {
        while (events.hasMoreEvents()) {
          RecordedEvent event = events.readEvent();
          if (event.getEventType().getName().equals(SAMPLE)
              && event.getStartTime().isAfter(begin)
              && event.getStartTime().isBefore(end)) {
            samples++;
            inMetrics += isInMetrics(event) ? 1 : 0;
          }
        }
      }
      bench.line(
          "| %s | %.0f | %d | %d | %.1f %% |",
          call.name(),
          loaded.answered() / loaded.seconds(),
          samples,
          inMetrics,
          100.0 * inMetrics / samples);
    }
  }

  /// Whether the gateway's own code nearest to what runs is that of the metrics: they also call
  /// what they measure. A sample whose stack could not be walked is in none.
  private static boolean isInMetrics(RecordedEvent sample) {
    return sample.getStackTrace() != null
        && sample.getStackTrace().getFrames().stream()
            .map(frame -> frame.getMethod().getType().getName())
            .filter(type -> type.startsWith(OURS))
            .findFirst()
            .filter(type -> type.startsWith(METRICS))
            .isPresent();
  }
}
