package dev.strata.trainer.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.strata.graph.ConfidenceCascade;
import dev.strata.precision.Bits;
import org.junit.jupiter.api.Test;

class CascadeMeasurementTest {

  /// The narrow width is wrong twice, at small margins; the wide one never.
  @Test
  void theCheapestThresholdThatLosesNothingIsChosen() {
    CascadeMeasurement measured =
        CascadeMeasurement.of(
            new Bits(2),
            new Bits(8),
            new double[] {0.9, 0.12, 0.7, 0.31, 0.8},
            new boolean[] {true, false, true, false, true},
            new boolean[] {true, true, true, true, true},
            0.4);
    assertEquals(
        new ConfidenceCascade(new Bits(2), new Bits(8), 0.35, 1, 0.4 + 0.4), measured.chosen());
    assertEquals(
        new CascadeMeasurement.Point(0, 0.6, 0, 0.4), measured.points().getFirst(), "never asked");
    assertEquals(
        new CascadeMeasurement.Point(1, 1, 1, 1.4), measured.points().getLast(), "always asked");
  }
}
