package dev.strata.loadtest;

import dev.strata.loadtest.capacity.Plan;
import dev.strata.loadtest.capacity.Queue;
import dev.strata.loadtest.capacity.Service;
import dev.strata.loadtest.report.ReportFiles;
import dev.strata.loadtest.report.RunSummary;
import dev.strata.loadtest.scenario.InvalidScenarioException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `strata loadtest capacity`: replicas at each width, by formula; sends nothing.
@Command(
    name = "capacity",
    description =
        "How many replicas a rate needs at each width to keep a 99th percentile: docs/capacity.md.")
final class CapacityCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--rate",
      required = true,
      paramLabel = "N",
      description = "Requests a second, all replicas together.")
  private double rate;

  @Option(
      names = "--p99",
      required = true,
      paramLabel = "MS",
      description = "Target of the 99th percentile in milliseconds, wait and computation.")
  private double p99;

  @Option(
      names = "--service",
      paramLabel = "BITS=MS[:V]",
      description =
          "Mean time that a request occupies a worker at a width, and its squared coefficient of"
              + " variation (default 0.25). May be given for several widths.")
  private Map<Integer, String> services = new TreeMap<>();

  @Option(
      names = "--from",
      paramLabel = "FILE",
      description =
          "Take service times from a run that --json wrote: the mean computation at each width."
              + " It should be a run at low load, in which batches are of one request.")
  private Path run;

  @Option(
      names = "--workers",
      defaultValue = "3",
      paramLabel = "N",
      description = "Workers of one replica (default ${DEFAULT-VALUE}).")
  private int workers;

  @Option(
      names = "--use",
      defaultValue = "0.7",
      paramLabel = "SHARE",
      description = "Most of the workers' time that may be used (default ${DEFAULT-VALUE}).")
  private double use;

  @Option(
      names = "--arrival-variability",
      defaultValue = "1",
      paramLabel = "V",
      description =
          "Squared coefficient of variation between arrivals: 1 Poisson, more for bursts"
              + " (default ${DEFAULT-VALUE}).")
  private double arrivalVariability;

  private static final double USUAL_VARIABILITY = 0.25;

  @Override
  public Integer call() throws IOException {
    Plan plan = new Plan(rate, arrivalVariability, p99, workers, use);
    Map<Integer, Service> byBits = services();
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "%-5s %10s %9s %9s %6s %9s %9s %8s %12s%n",
        "bits",
        "service ms",
        "replicas",
        "workers",
        "use",
        "wait ms",
        "p99 ms",
        "late %",
        "knee req/s");
    byBits.forEach(
        (bits, service) -> {
          Optional<Integer> replicas = plan.replicas(service);
          if (replicas.isEmpty()) {
            out.printf(
                "%-5d %10.2f %9s  no number of replicas keeps %.1f ms%n",
                bits, service.meanMillis(), "-", p99);
            return;
          }
          Queue queue = plan.replica(service, replicas.get());
          out.printf(
              "%-5d %10.2f %9d %9d %6.2f %9.2f %9.2f %8.3f %12.1f%n",
              bits,
              service.meanMillis(),
              replicas.get(),
              replicas.get() * workers,
              queue.use(),
              queue.meanWaitMillis(),
              queue.p99Millis(),
              100 * queue.late(p99),
              plan.knee(service, replicas.get()));
        });
    out.flush();
    return 0;
  }

  private Map<Integer, Service> services() throws IOException {
    Map<Integer, Service> byBits = new TreeMap<>(Comparator.reverseOrder());
    if (run != null) {
      byBits.putAll(measured(ReportFiles.read(run)));
    }
    services.forEach((bits, text) -> byBits.put(bits(bits), service(text)));
    if (byBits.isEmpty()) {
      throw new InvalidScenarioException("got no service time, expected --service or --from");
    }
    return byBits;
  }

  private static int bits(int bits) {
    if (bits < 1 || bits > 8) {
      throw new InvalidScenarioException("--service: got %d bits, expected 1 to 8".formatted(bits));
    }
    return bits;
  }

  private static Service service(String text) {
    String[] parts = text.split(":", 2);
    try {
      return new Service(
          Double.parseDouble(parts[0]),
          parts.length == 1 ? USUAL_VARIABILITY : Double.parseDouble(parts[1]));
    } catch (NumberFormatException _) {
      throw new InvalidScenarioException(
          "--service: got '%s', expected milliseconds, or milliseconds:variability"
              .formatted(text));
    }
  }

  /// A run has the mean of the computations only, so the variability is the usual one.
  private static Map<Integer, Service> measured(RunSummary summary) {
    Map<Integer, double[]> sums = new LinkedHashMap<>();
    for (RunSummary.Row row : summary.rows()) {
      double[] sum = sums.computeIfAbsent(row.bits(), _ -> new double[2]);
      sum[0] += row.meanComputeMillis() * row.answered();
      sum[1] += row.answered();
    }
    Map<Integer, Service> byBits = new TreeMap<>();
    sums.forEach((bits, sum) -> byBits.put(bits, new Service(sum[0] / sum[1], USUAL_VARIABILITY)));
    return byBits;
  }
}
