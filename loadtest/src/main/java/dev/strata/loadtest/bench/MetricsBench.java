package dev.strata.loadtest.bench;

import com.sun.tools.attach.AgentInitializationException;
import com.sun.tools.attach.AgentLoadException;
import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import dev.strata.loadtest.report.RunSummary;
import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.scenario.Phase;
import dev.strata.loadtest.scenario.Scenario;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// How much of a busy gateway's processor time goes into its metrics: the share of async-profiler's
/// samples that are in them or in what they call. It counts the time of all threads, also that of
/// the virtual machine and of the operating system.
final class MetricsBench {
  private static final String OURS = "dev/strata/";
  private static final String METRICS = OURS + "gateway/metrics/";
  private static final int USERS = 8;
  private static final double WARM_UP_SECONDS = 20;

  private MetricsBench() {}

  /// @param seconds of each protocol
  static void run(Bench bench, double seconds) throws IOException, InterruptedException {
    Path repository = Files.createTempDirectory(bench.work(), "identity");
    IdentityModel.importTo(repository, bench.root());
    Path profiler = profiler(bench.work());
    Path samples = bench.work().resolve("samples.txt");
    bench.line("| protocol | answers a second | samples | in metrics | share |");
    bench.line("| --- | --- | --- | --- | --- |");
    try (GatewayProcess gateway = bench.start(repository, Map.of("strata.shutdown.delay", "0s"))) {
      Scenario scenario = bench.scenario("identity", gateway);
      for (Call call : scenario.calls()) {
        Bench.drive(scenario, call, new Phase.Closed(WARM_UP_SECONDS, USERS));
        command(gateway, profiler, "start,event=ctimer,interval=1ms");
        RunSummary loaded = Bench.drive(scenario, call, new Phase.Closed(seconds, USERS));
        command(gateway, profiler, "stop,collapsed,file=" + samples);
        row(bench, call, loaded, Files.readAllLines(samples));
      }
    }
  }

  /// @param stacks frames from the outermost, with semicolons between, and how often that was seen
  private static void row(Bench bench, Call call, RunSummary loaded, List<String> stacks) {
    long all = 0;
    long inMetrics = 0;
    for (String stack : stacks) {
      long times = Long.parseLong(stack.substring(stack.lastIndexOf(' ') + 1));
      all += times;
      // The metrics also call what they measure: the innermost code of ours decides.
      inMetrics += stack.startsWith(METRICS, stack.lastIndexOf(OURS)) ? times : 0;
    }
    bench.line(
        "| %s | %.0f | %d | %d | %.1f %% |",
        call.name(), loaded.answered() / loaded.seconds(), all, inMetrics, 100.0 * inMetrics / all);
  }

  private static Path profiler(Path folder) throws IOException {
    String machine = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "x64";
    Path library = folder.resolve("libasyncProfiler.so");
    try (InputStream packaged =
        MetricsBench.class.getResourceAsStream(
            "/linux-%s/libasyncProfiler.so".formatted(machine))) {
      Files.copy(Objects.requireNonNull(packaged, "async-profiler for " + machine), library);
    }
    return library;
  }

  private static void command(GatewayProcess gateway, Path profiler, String command)
      throws IOException {
    try {
      VirtualMachine machine = VirtualMachine.attach(Long.toString(gateway.pid()));
      try {
        machine.loadAgentPath(profiler.toString(), command);
      } finally {
        machine.detach();
      }
    } catch (AttachNotSupportedException | AgentLoadException | AgentInitializationException e) {
      throw new IOException("the profiler does not start", e);
    }
  }
}
