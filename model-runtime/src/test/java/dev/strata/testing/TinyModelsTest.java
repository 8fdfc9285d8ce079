package dev.strata.testing;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.graph.MemoryTensors;
import dev.strata.precision.Bits;
import dev.strata.precision.CascadeView;
import dev.strata.precision.PlaneLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// The fixture's layers are what quantized layers are: close to their float weights, and closer
/// with every plane.
final class TinyModelsTest {

  @Test
  void everyPlaneBringsTheWeightsCloser() {
    PlaneLayout layout = new PlaneLayout(24, 72, 64, 2);
    try (MemoryTensors tensors = new MemoryTensors()) {
      float[] weights = new TinyQuantizer(tensors, new Random(7)).put("layer", layout);
      double before = Double.POSITIVE_INFINITY;
      for (Bits bits : Bits.all()) {
        CascadeView view = CascadeView.of("layer", layout, bits, tensors::get);
        double error = 0;
        double power = 0;
        for (int row = 0; row < layout.rows(); row++) {
          for (int column = 0; column < layout.columns(); column++) {
            float weight = weights[row * layout.columns() + column];
            error += Math.pow(weight - view.weight(row, column), 2);
            power += weight * weight;
          }
        }
        assertTrue(error < before, "%s bits: %s after %s".formatted(bits, error, before));
        before = error;
        if (bits.count() == Bits.MAX) {
          assertTrue(error < 1e-4 * power, "8 bits: relative error " + error / power);
        }
      }
    }
  }
}
