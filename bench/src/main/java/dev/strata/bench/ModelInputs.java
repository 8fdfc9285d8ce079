package dev.strata.bench;

import dev.strata.graph.DataType;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.processing.ModelProcessing;
import dev.strata.processing.PreparedBatch;
import dev.strata.trainer.cli.CommandFailure;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// What a model is measured on where nobody gave an input.
final class ModelInputs {
  private static final String[] WORDS =
      "the quick brown fox sees a lazy dog and runs over the old stone bridge".split(" ", -1);

  private ModelInputs() {}

  /// One request, as a client sends it and as the network takes it.
  record Request(String name, Map<String, Tensor> client, Map<String, Tensor> graph) {}

  /// Requests by themselves: texts of these lengths, an image, or the inputs' smallest shapes.
  static List<Request> examples(
      ModelDescription description, ModelProcessing processing, List<Integer> tokens) {
    return switch (description.preprocessing()) {
      case Preprocessing.Text text ->
          tokens.stream().map(length -> text(text, processing, length)).toList();
      case Preprocessing.Image image -> {
        Shape shape = Shape.of(1, image.channels(), image.height(), image.width());
        yield List.of(request(processing, Map.of(image.input(), ramp(shape))));
      }
      case Preprocessing.None _ -> List.of(request(processing, smallest(description)));
    };
  }

  /// The request of inputs that somebody gave.
  static Request request(ModelProcessing processing, Map<String, Tensor> client) {
    List<PreparedBatch> batches = processing.prepare(client);
    if (batches.size() != 1) {
      throw CommandFailure.usage(
          "the inputs: got %d shapes, expected elements of one shape".formatted(batches.size()));
    }
    Map<String, Tensor> graph = batches.getFirst().graphInputs();
    List<String> shapes = graph.values().stream().map(one -> dims(one.shape())).toList();
    return new Request(String.join(", ", shapes.stream().distinct().toList()), client, graph);
  }

  private static String dims(Shape shape) {
    return shape.dims().stream().map(String::valueOf).collect(Collectors.joining(" x "));
  }

  /// A text of exactly so many tokens.
  private static Request text(Preprocessing.Text text, ModelProcessing processing, int tokens) {
    StringBuilder words = new StringBuilder();
    for (int i = 0; i <= tokens; i++) {
      Map<String, Tensor> client =
          Map.of(
              text.input(),
              Tensor.ofBytes(List.of(words.toString().getBytes(StandardCharsets.UTF_8))));
      Request request = request(processing, client);
      if (request.graph().get(text.idsInput()).shape().dim(1) == tokens) {
        return new Request(tokens + " tokens", client, request.graph());
      }
      words.append(WORDS[i % WORDS.length]).append(' ');
    }
    throw CommandFailure.usage(
        "--tokens: got %d, which no text of the model has".formatted(tokens));
  }

  private static Map<String, Tensor> smallest(ModelDescription description) {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    description
        .inputs()
        .forEach(
            one -> {
              long[] dims = one.shape().toArray();
              Arrays.setAll(dims, axis -> dims[axis] == Shape.VARIABLE ? 1 : dims[axis]);
              Shape shape = Shape.of(dims);
              inputs.put(
                  one.name(),
                  one.type() == DataType.INT64
                      ? Tensor.of(shape, new long[Math.toIntExact(shape.elements())])
                      : ramp(shape));
            });
    return inputs;
  }

  private static Tensor ramp(Shape shape) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = i * 37 % 101 / 100f;
    }
    return Tensor.of(shape, values);
  }
}
