package dev.strata.trainer.cli;

import dev.strata.graph.DataType;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.model.LayeredModel;
import dev.strata.precision.Bits;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
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
        "Measure the latency of every precision on one thread. The widths take turns, so that a"
            + " busy machine slows all of them alike.")
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

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Mixin private InputOptions input = new InputOptions();

  @Spec private CommandSpec spec;

  private record Row(int bits, double medianMillis, double p10Millis, double p90Millis) {}

  @Override
  public Integer call() throws IOException {
    if (rounds < 1) {
      throw CommandFailure.usage("--rounds: got %d, expected at least 1".formatted(rounds));
    }
    try (LayeredModel model = LayeredModel.open(file);
        LayeredModel.Session session = model.newSession();
        Progress progress = Progress.on(file.getFileName().toString())) {
      Map<String, Tensor> inputs =
          input.isEmpty() ? example(model.description()) : input.read(model.description());
      List<Bits> measured =
          (widths.isEmpty() ? model.precisions() : widths).stream().distinct().toList();
      Map<Bits, long[]> nanos = measure(session, measured, inputs, progress);
      print(measured.stream().map(bits -> row(bits, nanos.get(bits))).toList());
    }
    return ExitCode.OK;
  }

  private Map<Bits, long[]> measure(
      LayeredModel.Session session,
      List<Bits> measured,
      Map<String, Tensor> inputs,
      Progress progress) {
    Map<Bits, long[]> nanos = new LinkedHashMap<>();
    int warmUp = Math.max(3, rounds / 5);
    for (int round = -warmUp; round < rounds; round++) {
      for (Bits bits : measured) {
        long start = System.nanoTime();
        session.predict(bits, inputs);
        long elapsed = System.nanoTime() - start;
        if (round >= 0) {
          nanos.computeIfAbsent(bits, any -> new long[rounds])[round] = elapsed;
        }
      }
      progress.advanced("measuring", round + warmUp + 1, rounds + warmUp);
    }
    return nanos;
  }

  private static Row row(Bits bits, long[] nanos) {
    long[] sorted = nanos.clone();
    Arrays.sort(sorted);
    return new Row(
        bits.count(), quantile(sorted, 0.5), quantile(sorted, 0.1), quantile(sorted, 0.9));
  }

  private static double quantile(long[] sorted, double share) {
    return sorted[(int) Math.round(share * (sorted.length - 1))] / 1e6;
  }

  private void print(List<Row> rows) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.pretty(rows));
    } else {
      Table table = new Table("bits", "median ms", "p10 ms", "p90 ms");
      rows.forEach(
          row ->
              table.row(
                  row.bits(),
                  "%.3f".formatted(row.medianMillis()),
                  "%.3f".formatted(row.p10Millis()),
                  "%.3f".formatted(row.p90Millis())));
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
