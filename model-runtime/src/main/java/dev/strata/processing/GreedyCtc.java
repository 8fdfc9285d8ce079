package dev.strata.processing;

import dev.strata.graph.Postprocessing;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Greedy CTC: the best class of each step, repeats merged, blanks dropped.
///
/// @param characters what class i + 1 writes; class 0 is the blank
record GreedyCtc(Postprocessing.Ctc ctc, List<String> characters) implements OutputFinishing {

  /// @param charset one character a line, UTF-8; a space is added as the last class
  static GreedyCtc of(Postprocessing.Ctc ctc, byte[] charset) {
    String text = new String(charset, StandardCharsets.UTF_8);
    String lines = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    List<String> characters = new ArrayList<>();
    Arrays.stream(lines.split("\n", -1))
        .map(line -> line.endsWith("\r") ? line.substring(0, line.length() - 1) : line)
        .forEach(characters::add);
    characters.add(" ");
    return new GreedyCtc(ctc, List.copyOf(characters));
  }

  @Override
  public Map<String, Tensor> finish(PreparedBatch batch, Map<String, Tensor> graphOutputs) {
    Tensor output = OutputFinishing.require(graphOutputs, ctc.graphOutput(), 3);
    int rows = Math.toIntExact(output.shape().dim(0));
    int steps = Math.toIntExact(output.shape().dim(1));
    int classes = Math.toIntExact(output.shape().dim(2));
    if (classes != characters.size() + 1) {
      throw new IllegalArgumentException(
          "graph output '%s': got %d classes, expected %d from the charset"
              .formatted(ctc.graphOutput(), classes, characters.size() + 1));
    }
    float[] probabilities = output.toFloats();
    List<byte[]> texts = new ArrayList<>(rows);
    float[] confidences = new float[rows];
    for (int row = 0; row < rows; row++) {
      StringBuilder text = new StringBuilder();
      double sum = 0;
      int kept = 0;
      int previous = 0;
      for (int step = 0; step < steps; step++) {
        int at = (row * steps + step) * classes;
        int best = LabelChoice.largest(probabilities, at, classes);
        if (best != 0 && best != previous) {
          text.append(characters.get(best - 1));
          sum += probabilities[at + best];
          kept++;
        }
        previous = best;
      }
      texts.add(text.toString().getBytes(StandardCharsets.UTF_8));
      confidences[row] = kept == 0 ? 0 : (float) (sum / kept);
    }
    return Map.of(
        ctc.textOutput(),
        Tensor.ofBytes(texts),
        ctc.confidenceOutput(),
        Tensor.of(Shape.of(rows), confidences));
  }
}
