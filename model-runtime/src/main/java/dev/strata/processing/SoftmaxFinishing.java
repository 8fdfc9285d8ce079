package dev.strata.processing;

import dev.strata.graph.Postprocessing;
import dev.strata.graph.Tensor;
import java.util.Map;

/// Logits to probabilities, row by row, with the maximum taken out first.
record SoftmaxFinishing(Postprocessing.Softmax softmax) implements OutputFinishing {
  @Override
  public Map<String, Tensor> finish(PreparedBatch batch, Map<String, Tensor> graphOutputs) {
    Tensor logits = OutputFinishing.require(graphOutputs, softmax.graphOutput(), 2);
    float[] values = logits.toFloats();
    int classes = Math.toIntExact(logits.shape().dim(1));
    for (int start = 0; start < values.length; start += classes) {
      normalise(values, start, start + classes);
    }
    return Map.of(softmax.output(), Tensor.of(logits.shape(), values));
  }

  private static void normalise(float[] values, int from, int to) {
    float largest = Float.NEGATIVE_INFINITY;
    for (int i = from; i < to; i++) {
      largest = Math.max(largest, values[i]);
    }
    double sum = 0;
    for (int i = from; i < to; i++) {
      double power = StrictMath.exp((double) values[i] - largest);
      values[i] = (float) power;
      sum += power;
    }
    for (int i = from; i < to; i++) {
      values[i] = (float) (values[i] / sum);
    }
  }
}
