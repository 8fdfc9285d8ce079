package dev.strata.trainer.cli;

import dev.strata.graph.DataType;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.model.LayeredModel;
import dev.strata.plan.Team;
import dev.strata.precision.Bits;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Measures latency.
@Command(
    name = "bench",
    description =
        "Measure the latency of every precision. Widths and numbers of threads take turns, so that"
            + " a busy machine slows all of them alike.")
final class BenchCommand implements Callable<Integer> {

  private static final String EXAMPLE = "A quick brown fox jumps over the lazy dog.";

  @Parameters(paramLabel = "FILE", description = "The artifact.")
  private Path file;

  @Option(
      names = "--bits",
      split = ",",
      converter = BitsConverter.class,
      description = "Widths to measure; default: all.")
  private List<Bits> widths = List.of();

  @Option(
      names = "--rounds",
      defaultValue = "30",
      paramLabel = "N",
      description = "Measured calls of each width (default ${DEFAULT-VALUE}).")
  private int rounds;

  @Option(
      names = "--threads",
      split = ",",
      defaultValue = "1",
      paramLabel = "N",
      description = "Threads that compute one call; several are compared (default 1).")
  private List<Integer> threads;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Mixin private InputOptions input = new InputOptions();

  @Spec private CommandSpec spec;

  private record Row(
      int bits,
      int threads,
      double medianMillis,
      double p10Millis,
      double p90Millis,
      long activationBytes) {}

  @Override
  public Integer call() throws IOException {
    if (rounds < 1) {
      throw CommandFailure.usage("--rounds: got %d, expected at least 1".formatted(rounds));
    }
    threads.forEach(BenchCommand::requireThreads);
    try (LayeredModel model = LayeredModel.open(file);
        Progress progress = Progress.on(file.getFileName().toString())) {
      Map<String, Tensor> inputs =
          input.isEmpty() ? example(model.description()) : input.read(model.description());
      List<Bits> measured =
          (widths.isEmpty() ? model.precisions() : widths).stream().distinct().toList();
      print(measure(model, measured, inputs, progress));
    }
    return ExitCode.OK;
  }

  static void requireThreads(int count) {
    if (count < 1 || count > Team.MOST_THREADS) {
      throw CommandFailure.usage(
          "--threads: got %d, expected 1 to %d".formatted(count, Team.MOST_THREADS));
    }
  }

  /// Calls of one width by so many threads.
  private record Series(Bits bits, LayeredModel.Session session, int threads, List<Long> nanos) {
    Row row() {
      long[] sorted = nanos.stream().mapToLong(Long::longValue).sorted().toArray();
      return new Row(
          bits.count(),
          threads,
          quantile(sorted, 0.5),
          quantile(sorted, 0.1),
          quantile(sorted, 0.9),
          session.peakActivationBytes(bits));
    }
  }

  private List<Row> measure(
      LayeredModel model, List<Bits> measured, Map<String, Tensor> inputs, Progress progress) {
    Map<Integer, LayeredModel.Session> sessions = new LinkedHashMap<>();
    try {
      threads.forEach(count -> sessions.computeIfAbsent(count, model::newSession));
      List<Series> all = new ArrayList<>();
      for (Bits bits : measured) {
        sessions.forEach(
            (count, session) -> all.add(new Series(bits, session, count, new ArrayList<>())));
      }
      int warmUp = Math.max(3, rounds / 5);
      for (int round = -warmUp; round < rounds; round++) {
        for (Series series : all) {
          long start = System.nanoTime();
          series.session().predict(series.bits(), inputs);
          long elapsed = System.nanoTime() - start;
          if (round >= 0) {
            series.nanos().add(elapsed);
          }
        }
        progress.advanced("measuring", round + warmUp + 1, rounds + warmUp);
      }
      return all.stream().map(Series::row).toList();
    } finally {
      sessions.values().forEach(LayeredModel.Session::close);
    }
  }

  private static double quantile(long[] sorted, double share) {
    return sorted[(int) Math.round(share * (sorted.length - 1))] / 1e6;
  }

  private void print(List<Row> rows) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.pretty(rows));
    } else {
      Table table =
          new Table("bits", "threads", "median ms", "p10 ms", "p90 ms", "activation bytes");
      rows.forEach(
          row ->
              table.row(
                  row.bits(),
                  row.threads(),
                  "%.3f".formatted(row.medianMillis()),
                  "%.3f".formatted(row.p10Millis()),
                  "%.3f".formatted(row.p90Millis()),
                  "%,d".formatted(row.activationBytes())));
      out.print(table);
    }
    out.flush();
  }

  /// A plausible request of one element for a model that nobody gave an input for.
  private static Map<String, Tensor> example(ModelDescription description) {
    return switch (description.preprocessing()) {
      case Preprocessing.Text text ->
          Map.of(text.input(), Tensor.ofBytes(List.of(EXAMPLE.getBytes(StandardCharsets.UTF_8))));
      case Preprocessing.Image image -> {
        Shape shape = Shape.of(1, image.channels(), image.height(), image.width());
        yield Map.of(image.input(), ramp(shape));
      }
      case Preprocessing.None none -> {
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        description
            .inputs()
            .forEach(
                one -> {
                  long[] dims = one.shape().toArray();
                  Arrays.setAll(dims, axis -> dims[axis] == Shape.VARIABLE ? 1 : dims[axis]);
                  Shape shape = Shape.of(dims);
                  int count = Math.toIntExact(shape.elements());
                  inputs.put(
                      one.name(),
                      one.type() == DataType.INT64
                          ? Tensor.of(shape, new long[count])
                          : ramp(shape));
                });
        yield inputs;
      }
    };
  }

  private static Tensor ramp(Shape shape) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = i * 37 % 101 / 100f;
    }
    return Tensor.of(shape, values);
  }
}
