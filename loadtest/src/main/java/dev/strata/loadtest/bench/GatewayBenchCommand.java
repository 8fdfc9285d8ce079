package dev.strata.loadtest.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/// `strata bench gateway`. Tables are in Markdown, as `docs/benchmarks.md` shows them.
@Command(
    name = "strata bench gateway",
    description =
        "Measure the gateway as a client sees it; each command starts gateways of its own.",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    usageHelpAutoWidth = true,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:requests were lost or answered wrongly",
      "2:the command line was wrong, or something to measure is missing"
    })
public final class GatewayBenchCommand implements Runnable {
  private static final int OK = 0;
  private static final int FAILED = 1;
  private static final int USAGE = 2;

  /// A benchmark between setting up and cleaning up.
  @FunctionalInterface
  private interface Body {
    /// @return whether nothing was lost
    boolean run(Bench bench) throws IOException, InterruptedException;
  }

  @Spec private CommandLine.Model.CommandSpec spec;

  @Option(
      names = "--root",
      defaultValue = "${env:STRATA_ROOT:-.}",
      paramLabel = "DIR",
      scope = ScopeType.INHERIT,
      description = "The project's folder (default ${DEFAULT-VALUE}).")
  private Path root;

  @Option(
      names = "--models",
      defaultValue = "${env:STRATA_MODELS:-.}",
      paramLabel = "DIR",
      scope = ScopeType.INHERIT,
      description = "A repository with minilm (default ${DEFAULT-VALUE}).")
  private Path models;

  @Option(
      names = "--cpu",
      paramLabel = "N",
      scope = ScopeType.INHERIT,
      description = "Bind the gateways to this processor; needs taskset.")
  private Integer cpu;

  public static void main(String[] arguments) {
    Locale.setDefault(Locale.ROOT);
    PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
    System.exit(
        new CommandLine(new GatewayBenchCommand())
            .setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8))
            .setErr(err)
            .setExecutionExceptionHandler(
                (failure, _, _) -> {
                  if (failure instanceof IOException) {
                    err.println("strata: " + failure.getMessage());
                    return USAGE;
                  }
                  throw failure;
                })
            .execute(arguments));
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Missing command.");
  }

  @Command(
      name = "overhead",
      description = "What a 4 KiB request costs beside its plan, over gRPC and REST.")
  int overhead(
      @Option(names = "--seconds", defaultValue = "8", description = "Of each measurement.")
          double seconds)
      throws IOException, InterruptedException {
    return with(
        bench -> {
          OverheadBench.run(bench, seconds);
          return true;
        });
  }

  @Command(
      name = "metrics",
      description = "The share of a busy gateway's time that goes into its metrics.")
  int metrics(
      @Option(names = "--seconds", defaultValue = "20", description = "Of each protocol.")
          double seconds)
      throws IOException, InterruptedException {
    return with(
        bench -> {
          MetricsBench.run(bench, seconds);
          return true;
        });
  }

  @Command(
      name = "transports",
      description = "The framework's unified gRPC server against grpc-java's, without a gateway.")
  int transports(
      @Option(names = "--seconds", defaultValue = "2", description = "Of each measurement.")
          double seconds,
      @Option(names = "--rounds", defaultValue = "5", description = "Of each server.") int rounds)
      throws IOException, InterruptedException {
    return with(
        bench -> {
          TransportBench.run(bench, seconds, rounds);
          return true;
        });
  }

  @Command(
      name = "memory",
      description =
          "Memory when MiniLM is served at all widths by four workers, against 8 bits by one.")
  int memory(
      @Option(names = "--seconds", defaultValue = "16", description = "Of load in each run.")
          double seconds,
      @Option(names = "--rounds", defaultValue = "3", description = "Runs of each.") int rounds)
      throws IOException, InterruptedException {
    return with(
        bench -> {
          MemoryBench.run(bench, seconds, rounds);
          return true;
        });
  }

  @Command(
      name = "startup",
      description = "From the start script to readiness and the first answer; memory after it.")
  int startup(
      @Option(names = "--runs", defaultValue = "10", description = "Of each case.") int runs)
      throws IOException, InterruptedException {
    return with(
        bench -> {
          StartupBench.run(bench, runs);
          return true;
        });
  }

  @Command(name = "swaps", description = "Requests lost while new versions come into service.")
  int swaps(@Option(names = "--swaps", defaultValue = "100", description = "How many.") int swaps)
      throws IOException, InterruptedException {
    return with(bench -> SwapBench.run(bench, swaps));
  }

  @Command(name = "drains", description = "Requests lost while gateways are told to end.")
  int drains(@Option(names = "--drains", defaultValue = "20", description = "How many.") int drains)
      throws IOException, InterruptedException {
    return with(bench -> DrainBench.run(bench, drains));
  }

  @Command(
      name = "progressive",
      description = "When MiniLM answers at each width while it arrives over a slow link.")
  int progressive(
      @Option(
              names = "--rate",
              defaultValue = "2e6",
              paramLabel = "BYTES",
              description = "Of the link, a second.")
          double rate)
      throws IOException, InterruptedException {
    return with(
        bench -> {
          ProgressiveBench.run(bench, rate);
          return true;
        });
  }

  @Command(
      name = "overload",
      description =
          "Models beyond their capacity at 8 bits: losing bits against refusing, at the same times.")
  int overload(
      @Option(names = "--seconds", defaultValue = "5", description = "Of each run.") double seconds)
      throws IOException, InterruptedException {
    return with(
        bench -> {
          OverloadBench.run(bench, seconds);
          return true;
        });
  }

  private int with(Body body) throws IOException, InterruptedException {
    Path work = Files.createTempDirectory("strata-bench");
    try {
      Bench bench =
          new Bench(
              root.toAbsolutePath(),
              models.toAbsolutePath(),
              work,
              cpu == null ? OptionalInt.empty() : OptionalInt.of(cpu),
              spec.commandLine().getOut());
      return body.run(bench) ? OK : FAILED;
    } finally {
      delete(work);
    }
  }

  private static void delete(Path folder) throws IOException {
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(folder)) {
      paths = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : paths) {
      Files.delete(path);
    }
  }
}
