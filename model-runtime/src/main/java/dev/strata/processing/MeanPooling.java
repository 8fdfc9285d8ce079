package dev.strata.processing;

import dev.strata.graph.Postprocessing;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.util.Map;
import java.util.Optional;

/// Hidden states to one embedding of length 1: the mean over the tokens that are not padding.
///
/// @param mask name of the graph input that says which tokens are real; without it all are
record MeanPooling(Postprocessing.MeanPool pool, Optional<String> mask) implements OutputFinishing {

  @Override
  public Map<String, Tensor> finish(PreparedBatch batch, Map<String, Tensor> graphOutputs) {
    Tensor hidden = OutputFinishing.require(graphOutputs, pool.graphOutput(), 3);
    int rows = Math.toIntExact(hidden.shape().dim(0));
    int tokens = Math.toIntExact(hidden.shape().dim(1));
    int width = Math.toIntExact(hidden.shape().dim(2));
    float[] states = hidden.toFloats();
    Optional<long[]> real = mask.map(name -> batch.graphInputs().get(name)).map(Tensor::toLongs);
    float[] embeddings = new float[rows * width];
    for (int row = 0; row < rows; row++) {
      double[] sum = new double[width];
      for (int token = 0; token < tokens; token++) {
        int position = row * tokens + token;
        if (real.isPresent() && real.get()[position] == 0) {
          continue;
        }
        for (int i = 0; i < width; i++) {
          sum[i] += states[position * width + i];
        }
      }
      scaleToLengthOne(sum, embeddings, row * width);
    }
    return Map.of(pool.output(), Tensor.of(Shape.of(rows, width), embeddings));
  }

  /// The mean's divisor falls out when the length becomes 1. A zero vector stays zero.
  private static void scaleToLengthOne(double[] vector, float[] out, int at) {
    double squares = 0;
    for (double value : vector) {
      squares += value * value;
    }
    double length = Math.sqrt(squares);
    for (int i = 0; i < vector.length; i++) {
      out[at + i] = length > 0 ? (float) (vector[i] / length) : 0;
    }
  }
}
