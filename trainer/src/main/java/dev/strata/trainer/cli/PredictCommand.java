package dev.strata.trainer.cli;

import dev.strata.graph.ModelDescription;
import dev.strata.graph.Tensor;
import dev.strata.model.LayeredModel;
import dev.strata.model.Prediction;
import dev.strata.precision.Bits;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Runs an artifact on one request.
@Command(name = "predict", description = "Run an artifact on one input at one precision.")
final class PredictCommand implements Callable<Integer> {

  private static final int SHOWN_VALUES = 8;

  @Parameters(paramLabel = "FILE", description = "The artifact.")
  private Path file;

  @Option(
      names = "--bits",
      converter = BitsConverter.class,
      description = "Precision, 1 to 8; default: the model's own default.")
  private Optional<Bits> bits;

  @Option(
      names = "--threads",
      defaultValue = "1",
      converter = ThreadsConverter.class,
      paramLabel = "N",
      description = "Threads that compute it (default ${DEFAULT-VALUE}).")
  private int threads;

  @Option(names = "--json", description = "Print JSON with every value.")
  private boolean json;

  @Mixin private InputOptions input = new InputOptions();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    try (LayeredModel model = LayeredModel.open(file);
        LayeredModel.Session session = model.newSession(threads)) {
      ModelDescription description = model.description();
      Bits wanted = bits.orElse(description.defaultBits());
      if (!model.precisions().contains(wanted)) {
        throw CommandFailure.usage(
            "--bits: got %s, model '%s' has %s"
                .formatted(wanted, description.name(), model.precisions()));
      }
      Prediction prediction = session.predict(wanted, input.read(description));
      PrintWriter out = spec.commandLine().getOut();
      if (json) {
        out.println(Json.pretty(values(prediction)));
      } else {
        new TreeMap<>(prediction.outputs())
            .forEach((name, tensor) -> print(out, name, tensor, description.labels()));
      }
      out.flush();
    }
    return ExitCode.OK;
  }

  private static Map<String, Object> values(Prediction prediction) {
    Map<String, Object> outputs = new TreeMap<>();
    prediction
        .outputs()
        .forEach(
            (name, tensor) -> {
              Map<String, Object> output = new LinkedHashMap<>();
              output.put("type", tensor.type());
              output.put("shape", tensor.shape());
              output.put("data", data(tensor));
              outputs.put(name, output);
            });
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("bits", prediction.bits());
    all.put("outputs", outputs);
    return all;
  }

  private static Object data(Tensor tensor) {
    return switch (tensor.type()) {
      case FP32 -> tensor.toFloats();
      case INT64 -> tensor.toLongs();
      case BYTES -> texts(tensor);
      case BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, FP16, BF16, FP64 ->
          throw new IllegalArgumentException("output of type " + tensor.type());
    };
  }

  private static List<String> texts(Tensor tensor) {
    return tensor.toByteArrays().stream()
        .map(text -> new String(text, StandardCharsets.UTF_8))
        .toList();
  }

  /// One line a row; class scores as the best classes, long rows cut.
  private static void print(PrintWriter out, String name, Tensor tensor, List<String> labels) {
    out.printf("%s %s %s%n", name, tensor.type(), tensor.shape());
    switch (tensor.type()) {
      case BYTES -> texts(tensor).forEach(text -> out.println("  " + text));
      case FP32 -> rows(tensor).forEach(row -> out.println("  " + line(row, labels)));
      case INT64 -> out.println("  " + Arrays.toString(tensor.toLongs()));
      case BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, FP16, BF16, FP64 ->
          throw new IllegalArgumentException("output of type " + tensor.type());
    }
  }

  private static List<float[]> rows(Tensor tensor) {
    float[] values = tensor.toFloats();
    int rows = tensor.shape().rank() == 0 ? 1 : Math.toIntExact(tensor.shape().dim(0));
    int size = values.length / rows;
    return IntStream.range(0, rows)
        .mapToObj(row -> Arrays.copyOfRange(values, row * size, (row + 1) * size))
        .toList();
  }

  private static String line(float[] row, List<String> labels) {
    if (row.length == labels.size()) {
      return IntStream.range(0, row.length)
          .boxed()
          .sorted((a, b) -> Float.compare(row[b], row[a]))
          .limit(3)
          .map(i -> "%s %.4f".formatted(labels.get(i), row[i]))
          .collect(Collectors.joining(", "));
    }
    String shown =
        IntStream.range(0, Math.min(SHOWN_VALUES, row.length))
            .mapToObj(i -> "%.6g".formatted(row[i]))
            .collect(Collectors.joining(" "));
    return row.length > SHOWN_VALUES ? shown + " ... (" + row.length + " values)" : shown;
  }
}
