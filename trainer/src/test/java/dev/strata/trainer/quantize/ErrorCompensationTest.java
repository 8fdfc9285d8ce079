package dev.strata.trainer.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.graph.Layer;
import dev.strata.graph.Shape;
import dev.strata.precision.Bits;
import dev.strata.precision.PlaneLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ErrorCompensationTest {
  private static final int ROWS = 24;
  private static final int COLUMNS = 160;
  private static final int SAMPLES = 2000;

  private final RandomWeights random = new RandomWeights(11);
  private final float[] weights = random.matrix(ROWS, COLUMNS);
  private final float[] inputs = random.correlatedInputs(2 * SAMPLES, COLUMNS);

  @Test
  void theFactorMultipliesBackToTheMatrix() {
    SymmetricMatrix matrix = new SymmetricMatrix(COLUMNS);
    matrix.addGram(inputs, SAMPLES);
    matrix = matrix.withRidge(matrix.meanDiagonal() * 0.01);
    float[] upper = matrix.unitUpperFactor();
    double[] diagonal = new double[COLUMNS];
    for (int i = COLUMNS - 1; i >= 0; i--) {
      diagonal[i] = matrix.get(i, i) - product(upper, diagonal, i, i, i + 1);
    }
    for (int i = 0; i < COLUMNS; i++) {
      for (int j = 0; j <= i; j++) {
        double tolerance = 1e-4 * Math.sqrt(matrix.get(i, i) * matrix.get(j, j));
        assertEquals(matrix.get(i, j), product(upper, diagonal, i, j, i), tolerance);
      }
    }
  }

  private static double product(float[] upper, double[] diagonal, int i, int j, int from) {
    double sum = 0;
    for (int k = from; k < COLUMNS; k++) {
      sum += (double) upper[i * COLUMNS + k] * diagonal[k] * upper[j * COLUMNS + k];
    }
    return sum;
  }

  @Test
  void compensationLowersTheOutputErrorOnNewInputsAtTheNativeWidth() {
    InputStatistics statistics = statistics();
    QuantizationSettings settings = QuantizationSettings.defaults();
    LayerQuantizer nearest = quantize(statistics, settings.withErrorCompensation(false));
    LayerQuantizer compensated = quantize(statistics, settings);
    double before = outputError(nearest, 4);
    double after = outputError(compensated, 4);
    assertTrue(after < 0.7 * before, "4 bits: %s with, %s without".formatted(after, before));
    double[] errors = new double[9];
    for (int bits = 1; bits <= 8; bits++) {
      errors[bits] = outputError(compensated, bits);
      assertTrue(bits == 1 || errors[bits] < errors[bits - 1], () -> Arrays.toString(errors));
    }
    assertTrue(errors[8] < after / 4, () -> Arrays.toString(errors));
  }

  @Test
  void correctedBiasKeepsTheMeanOutput() {
    LayerQuantizer quantized = quantize(statistics(), QuantizationSettings.defaults());
    for (Bits width : Bits.all()) {
      double[] errors = new double[ROWS];
      forEachOutput(quantized, width, 0, (row, error) -> errors[row] += error / SAMPLES);
      for (double error : errors) {
        assertEquals(0, error, 1e-3);
      }
    }
  }

  private InputStatistics statistics() {
    InputCollector collector =
        new InputCollector(
            new InputRows.Vectors(COLUMNS), SAMPLES, true, InputCollector.Ranges.NONE);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment seen = arena.allocate((long) SAMPLES * COLUMNS * Float.BYTES);
      MemorySegment.copy(inputs, 0, seen, ValueLayout.JAVA_FLOAT, 0, SAMPLES * COLUMNS);
      collector.observe(seen, Shape.of(SAMPLES, COLUMNS));
    }
    return collector.finish();
  }

  private LayerQuantizer quantize(InputStatistics statistics, QuantizationSettings settings) {
    PlaneLayout layout = new PlaneLayout(ROWS, COLUMNS, 32, 1);
    return LayerQuantizer.of(
        new Layer("l", Layer.Kind.LINEAR, Layer.Storage.PLANES, layout),
        weights,
        new float[ROWS],
        Optional.of(statistics),
        new TreeSet<>(Bits.all()),
        settings);
  }

  /// Mean squared output error on samples that the statistics have not seen.
  private double outputError(LayerQuantizer quantized, int bits) {
    double[] sum = new double[1];
    forEachOutput(quantized, new Bits(bits), SAMPLES, (row, error) -> sum[0] += error * error);
    return sum[0];
  }

  private interface OutputError {
    void at(int row, double error);
  }

  private void forEachOutput(
      LayerQuantizer quantized, Bits width, int firstSample, OutputError action) {
    float[] bias = quantized.correctedBias(width);
    float[] decoded = new float[COLUMNS];
    for (int row = 0; row < ROWS; row++) {
      quantized.decode(row, width, decoded);
      for (int sample = firstSample; sample < firstSample + SAMPLES; sample++) {
        double error = -bias[row];
        for (int column = 0; column < COLUMNS; column++) {
          double change = weights[row * COLUMNS + column] - (double) decoded[column];
          error += change * inputs[sample * COLUMNS + column];
        }
        action.at(row, error);
      }
    }
  }
}
