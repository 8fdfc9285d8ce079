package dev.strata.trainer.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.graph.Layer;
import dev.strata.graph.MemoryTensors;
import dev.strata.precision.Bits;
import dev.strata.precision.CascadeView;
import dev.strata.precision.PlaneLayout;
import java.util.Arrays;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NestedWeightsTest {
  private static final QuantizationSettings SETTINGS = QuantizationSettings.defaults();

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void stepsAreRoundedUpSoNothingClips(long seed) {
    RandomWeights random = new RandomWeights(seed);
    PlaneLayout layout = new PlaneLayout(random.size(1, 40), random.size(1, 300), 64, 1);
    float[] weights = random.matrix(layout.rows(), layout.columns());
    float shift = random.shift();
    for (int i = 0; i < weights.length; i++) {
      weights[i] += shift;
    }
    GroupGrid grid = GroupGrid.fit(weights, layout);
    byte[] codes = grid.nearestCodes(weights);
    for (int i = 0; i < weights.length; i++) {
      int row = i / layout.columns();
      int group = i % layout.columns() / layout.groupSize();
      float step = grid.step(row, group);
      float value = grid.offset(row, group) + step * GroupGrid.middleOfBin(codes[i], 8);
      float rounding = 4 * Math.ulp(Math.abs(weights[i]) + 128 * step);
      assertTrue(
          Math.abs(weights[i] - value) <= step / 2 + rounding,
          "weight %d: %s became %s with step %s".formatted(i, weights[i], value, step));
    }
  }

  /// The code of b bits is the bin of width `2^(8-b)` steps that the weight lies in, and that of
  /// b + 1 bits without its last plane; the two centres are a quarter of a bin apart.
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void theCodeOfMoreBitsCutByOneIsTheNarrowerCode(long seed) {
    RandomWeights random = new RandomWeights(seed);
    PlaneLayout layout = new PlaneLayout(random.size(1, 20), random.size(1, 200), 64, 1);
    float[] weights = random.matrix(layout.rows(), layout.columns());
    GroupGrid grid = GroupGrid.fit(weights, layout);
    byte[] codes = grid.nearestCodes(weights);
    for (int i = 0; i < weights.length; i++) {
      int row = i / layout.columns();
      int group = i % layout.columns() / layout.groupSize();
      double position =
          (weights[i] - (double) grid.offset(row, group)) / grid.step(row, group) + 128;
      for (int bits = 1; bits <= 8; bits++) {
        int prefix = (codes[i] & 0xff) >> (8 - bits);
        assertEquals(
            Math.clamp((int) Math.floor(position / (1 << (8 - bits))), 0, (1 << bits) - 1), prefix);
        if (bits < 8) {
          int wider = (codes[i] & 0xff) >> (7 - bits);
          assertEquals(prefix, wider >> 1);
          float apart =
              GroupGrid.middleOfBin(codes[i], bits + 1) - GroupGrid.middleOfBin(codes[i], bits);
          assertEquals((wider & 1) == 0 ? -0.25f : 0.25f, apart / (1 << (8 - bits)));
        }
      }
    }
  }

  @Test
  void constantAndZeroGroupsAreExact() {
    PlaneLayout layout = new PlaneLayout(3, 128, 64, 1);
    float[] weights = new float[3 * 128];
    Arrays.fill(weights, 128, 256, 0.37f);
    Arrays.fill(weights, 256, 320, -2.5f);
    LayeredMatrix matrix = nearest(weights, layout);
    float[] row = new float[128];
    for (int bits = 1; bits <= 8; bits++) {
      for (int r = 0; r < 3; r++) {
        matrix.decode(r, bits, RowFit.NONE, row);
        for (int column = 0; column < 128; column++) {
          assertEquals(weights[r * 128 + column], row[column], 1e-6);
        }
      }
    }
  }

  /// The bounds are about a tenth above what this grid is known to reach on Gaussian rows of
  /// 1024.
  @Test
  void theErrorOfGaussianWeightsFallsWithEveryPlane() {
    double[] bounds = {0.40, 0.125, 0.033, 0.0082, 0.0021, 5.2e-4, 1.3e-4, 3.3e-5};
    PlaneLayout layout = new PlaneLayout(32, 1024, 64, 1);
    float[] weights = new RandomWeights(5).matrix(32, 1024);
    LayeredMatrix matrix = nearest(weights, layout);
    RowFit[][] fits =
        new RowFitting(weights, Optional.empty()).fit(matrix, new TreeSet<>(Bits.all()));
    double previous = 1;
    for (int bits = 1; bits <= 8; bits++) {
      double error = relativeError(weights, matrix, fits, bits);
      assertTrue(error < previous, "%d bits: %s, before %s".formatted(bits, error, previous));
      assertTrue(error < bounds[bits - 1], "%d bits: %s".formatted(bits, error));
      previous = error;
    }
  }

  @Test
  void gammaAndZetaAreTheLeastSquaresOptimum() {
    PlaneLayout layout = new PlaneLayout(4, 200, 64, 1);
    float[] weights = new RandomWeights(6).matrix(4, 200);
    LayeredMatrix matrix = nearest(weights, layout);
    RowFit[][] fits =
        new RowFitting(weights, Optional.empty()).fit(matrix, new TreeSet<>(Bits.all()));
    for (int bits = 1; bits <= 8; bits++) {
      for (int row = 0; row < 4; row++) {
        RowFit fit = fits[row][bits - 1];
        double best = squaredError(weights, matrix, row, bits, fit);
        for (double change : new double[] {-1e-3, 1e-3}) {
          RowFit otherGamma = new RowFit(fit.gamma() + change, fit.zeta());
          RowFit otherZeta = new RowFit(fit.gamma(), fit.zeta() + change);
          assertTrue(squaredError(weights, matrix, row, bits, otherGamma) > best);
          assertTrue(squaredError(weights, matrix, row, bits, otherZeta) >= best);
        }
      }
    }
  }

  @Test
  void theWeightsInTheArtifactAreTheFormula() {
    PlaneLayout layout = new PlaneLayout(21, 150, 64, 1);
    float[] weights = new RandomWeights(7).matrix(21, 150);
    float[] bias = new RandomWeights(8).matrix(1, 21);
    Layer layer = new Layer("l", Layer.Kind.LINEAR, Layer.Storage.PLANES, layout);
    LayerQuantizer quantized =
        LayerQuantizer.of(
            layer, weights, bias, Optional.empty(), new TreeSet<>(Bits.all()), SETTINGS);
    try (MemoryTensors tensors = new MemoryTensors()) {
      quantized.putWeights(tensors);
      float[] expected = new float[150];
      for (Bits width : Bits.all()) {
        quantized.putTable(tensors, width, quantized.correctedBias(width));
        CascadeView view = CascadeView.of("l", layout, width, tensors::get);
        for (int row = 0; row < 21; row++) {
          quantized.decode(row, width, expected);
          float largest = 0;
          for (float weight : expected) {
            largest = Math.max(largest, Math.abs(weight));
          }
          assertEquals(bias[row], view.bias(row));
          for (int column = 0; column < 150; column++) {
            assertEquals(expected[column], view.weight(row, column), 1e-6 * largest);
          }
        }
      }
    }
  }

  private static LayeredMatrix nearest(float[] weights, PlaneLayout layout) {
    GroupGrid grid = GroupGrid.fit(weights, layout);
    return new LayeredMatrix(grid, grid.nearestCodes(weights));
  }

  private static double relativeError(
      float[] weights, LayeredMatrix matrix, RowFit[][] fits, int bits) {
    double error = 0;
    double power = 0;
    for (int row = 0; row < matrix.layout().rows(); row++) {
      error += squaredError(weights, matrix, row, bits, fits[row][bits - 1]);
    }
    for (float weight : weights) {
      power += (double) weight * weight;
    }
    return error / power;
  }

  private static double squaredError(
      float[] weights, LayeredMatrix matrix, int row, int bits, RowFit fit) {
    float[] decoded = new float[matrix.layout().columns()];
    matrix.decode(row, bits, fit, decoded);
    double sum = 0;
    for (int column = 0; column < decoded.length; column++) {
      double error = weights[row * decoded.length + column] - (double) decoded[column];
      sum += error * error;
    }
    return sum;
  }
}
