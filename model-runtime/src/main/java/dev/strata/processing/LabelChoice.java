package dev.strata.processing;

import dev.strata.graph.Postprocessing;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The most probable label of each row and its probability.
///
/// @param labels class names; a class beyond them is called by its number
record LabelChoice(Postprocessing.Label label, List<String> labels) implements OutputFinishing {

  @Override
  public Map<String, Tensor> finish(PreparedBatch batch, Map<String, Tensor> graphOutputs) {
    Tensor output = OutputFinishing.require(graphOutputs, label.graphOutput(), 2);
    int rows = Math.toIntExact(output.shape().dim(0));
    int classes = Math.toIntExact(output.shape().dim(1));
    float[] probabilities = output.toFloats();
    List<byte[]> names = new ArrayList<>(rows);
    float[] confidences = new float[rows];
    for (int row = 0; row < rows; row++) {
      int best = largest(probabilities, row * classes, classes);
      String name = best < labels.size() ? labels.get(best) : Integer.toString(best);
      names.add(name.getBytes(StandardCharsets.UTF_8));
      confidences[row] = probabilities[row * classes + best];
    }
    return Map.of(
        label.labelOutput(),
        Tensor.ofBytes(names),
        label.confidenceOutput(),
        Tensor.of(Shape.of(rows), confidences));
  }

  /// @return index of the largest of `count` values, the first of equals
  static int largest(float[] values, int from, int count) {
    int best = 0;
    for (int i = 1; i < count; i++) {
      if (values[from + i] > values[from + best]) {
        best = i;
      }
    }
    return best;
  }
}
