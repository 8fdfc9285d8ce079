package dev.strata.trainer.quantize;

import java.util.Random;

/// Weights and inputs for tests, from a seed.
final class RandomWeights {
  private final Random random;

  RandomWeights(long seed) {
    random = new Random(seed);
  }

  /// Gaussian rows, each with its own log-normal scale.
  float[] matrix(int rows, int columns) {
    float[] weights = new float[rows * columns];
    for (int row = 0; row < rows; row++) {
      double scale = Math.exp(random.nextGaussian());
      for (int column = 0; column < columns; column++) {
        weights[row * columns + column] = (float) (scale * random.nextGaussian());
      }
    }
    return weights;
  }

  /// Samples of correlated, non-negative features: hidden causes of falling strength,
  /// mixed, then cut at zero.
  float[] correlatedInputs(int samples, int columns) {
    int causes = columns;
    float[] mixing = matrix(causes, columns);
    float[] inputs = new float[samples * columns];
    for (int sample = 0; sample < samples; sample++) {
      for (int cause = 0; cause < causes; cause++) {
        double strength = random.nextGaussian() / Math.sqrt(1 + cause);
        for (int column = 0; column < columns; column++) {
          inputs[sample * columns + column] +=
              (float) (strength * mixing[cause * columns + column]);
        }
      }
      for (int column = 0; column < columns; column++) {
        float value = inputs[sample * columns + column] + 0.1f * (float) random.nextGaussian();
        inputs[sample * columns + column] = Math.max(value, 0);
      }
    }
    return inputs;
  }

  int size(int from, int to) {
    return random.nextInt(from, to + 1);
  }

  float shift() {
    return (float) random.nextGaussian();
  }
}
