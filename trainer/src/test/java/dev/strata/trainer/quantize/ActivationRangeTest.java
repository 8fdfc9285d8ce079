package dev.strata.trainer.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.precision.ActivationQuantizer;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ActivationRangeTest {

  @Test
  void positiveValuesUseAllCodesAndZeroIsTheLowest() {
    ValueHistogram seen = new ValueHistogram(8192);
    for (int i = 0; i <= 1000; i++) {
      seen.add(i / 500f);
    }
    ActivationQuantizer.PerTensor quantizer = ActivationRange.of(seen, new RangeRule.LeastError());
    assertEquals(-128, quantizer.zeroPoint());
    assertEquals(2f / 255, quantizer.scale(), 1e-3);
  }

  @Test
  void signedValuesFitBetweenTheLowestAndTheHighestCode() {
    ValueHistogram seen = new ValueHistogram(8192);
    for (int i = -300; i <= 1000; i++) {
      seen.add(i / 100f);
    }
    ActivationQuantizer.PerTensor quantizer = ActivationRange.of(seen, new RangeRule.LeastError());
    assertEquals(-3, quantizer.scale() * (-128 - quantizer.zeroPoint()), 0.06);
    assertEquals(10, quantizer.scale() * (127 - quantizer.zeroPoint()), 0.06);
  }

  @Test
  void oneOutlierInManyIsClipped() {
    ValueHistogram seen = new ValueHistogram(8192);
    Random random = new Random(3);
    for (int i = 0; i < 1_000_000; i++) {
      seen.add((float) random.nextGaussian());
    }
    seen.add(12);
    ActivationQuantizer.PerTensor quantizer = ActivationRange.of(seen, new RangeRule.LeastError());
    assertTrue(quantizer.scale() * 255 < 14, "scale %s".formatted(quantizer.scale()));
  }

  @Test
  void aPercentileLeavesOutTheSamePartAtEachEnd() {
    ValueHistogram seen = new ValueHistogram(8192);
    for (int i = -1000; i < 3000; i++) {
      seen.add(i / 1000f);
    }
    ActivationQuantizer.PerTensor most = ActivationRange.of(seen, new RangeRule.Percentile(90));
    assertEquals(-0.8, most.scale() * (-128 - most.zeroPoint()), 0.01);
    assertEquals(2.8, most.scale() * (127 - most.zeroPoint()), 0.01);
    ActivationQuantizer.PerTensor all = ActivationRange.of(seen, new RangeRule.Percentile(100));
    assertEquals(4f / 255, all.scale(), 1e-4);
    assertThrows(IllegalArgumentException.class, () -> new RangeRule.Percentile(50));
  }

  @Test
  void theHistogramKeepsItsCountsWhileItWidens() {
    ValueHistogram seen = new ValueHistogram(8192);
    for (float value = 1e-6f; value < 1e6f; value *= 2) {
      seen.add(value);
      seen.add(-value);
    }
    double all = seen.roundingError(0, 1e-9, 2) * seen.total();
    double squares = 0;
    for (float value = 1e-6f; value < 1e6f; value *= 2) {
      squares += (double) value * value;
    }
    assertEquals(2 * squares, all, 2 * squares * 0.01);
  }
}
