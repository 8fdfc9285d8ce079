package dev.strata.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.trainer.data.Idx;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// What the tests of this module share: the command line, and the network and images of `fashion`.
final class Benchmarks {
  private static final String REPOSITORY = "/dev/strata/trainer/repository/";
  static final Path FASHION = Path.of("../gateway/src/main/repository/fashion/1/model.strata");

  private Benchmarks() {}

  record Run(int exitCode, String out, String err) {}

  static Run bench(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code = BenchCommand.run(new PrintWriter(out), new PrintWriter(err), arguments);
    return new Run(code, out.toString(), err.toString());
  }

  static JsonNode json(Path file) throws IOException {
    return new ObjectMapper().readTree(file.toFile());
  }

  static byte[] resource(String name) throws IOException {
    try (InputStream in = Benchmarks.class.getResourceAsStream(REPOSITORY + name)) {
      return in.readAllBytes();
    }
  }

  static Path copied(String name, Path folder) throws IOException {
    return Files.write(folder.resolve(name), resource(name));
  }

  /// Graph inputs of the first images of a file, one each.
  static List<Map<String, Tensor>> images(String name, int count) throws IOException {
    Idx images;
    try (InputStream in = Benchmarks.class.getResourceAsStream(REPOSITORY + name)) {
      images = Idx.read(in, name);
    }
    return IntStream.range(0, count)
        .mapToObj(
            image -> {
              float[] values = new float[images.sampleSize()];
              for (int i = 0; i < values.length; i++) {
                values[i] = (images.value(image, i) / 255f - 0.2860f) / 0.3530f;
              }
              return Map.of("input", Tensor.of(Shape.of(1, 1, 28, 28), values));
            })
        .toList();
  }
}
