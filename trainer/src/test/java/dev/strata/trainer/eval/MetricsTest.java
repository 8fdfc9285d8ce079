package dev.strata.trainer.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class MetricsTest {

  @Test
  void accuracyAndAgreementCountBestClasses() {
    float[][] scores = {{1, 2}, {3, 0}, {0, 5}, {1, 1}};
    assertEquals(0.75, Metrics.accuracy(scores, new int[] {1, 0, 1, 1}));
    assertEquals(0.5, Metrics.agreement(scores, new float[][] {{0, 1}, {0, 1}, {1, 0}, {1, 0}}));
  }

  @Test
  void cosineIgnoresLength() {
    assertEquals(1, Metrics.cosine(new float[] {1, 2}, new float[] {10, 20}), 1e-12);
    assertEquals(0, Metrics.cosine(new float[] {1, 0}, new float[] {0, 3}), 1e-12);
    assertEquals(-1, Metrics.cosine(new float[] {1, 0}, new float[] {-2, 0}), 1e-12);
    double half =
        Metrics.meanCosine(new float[][] {{1, 0}, {1, 0}}, new float[][] {{1, 0}, {0, 1}});
    assertEquals(0.5, half, 1e-12);
  }

  @Test
  void pairsAreListedRowByRow() {
    double[] pairs = Metrics.pairwiseSimilarities(new float[][] {{1, 0}, {0, 1}, {-1, 0}});
    assertArrayEquals(new double[] {0, -1, 0}, pairs, 1e-12);
  }

  @Test
  void spearmanSeesOrderOnlyAndSharesRanksOfEqualValues() {
    double[] values = {1, 2, 3, 4};
    assertEquals(1, Metrics.spearman(values, new double[] {1, 10, 11, 900}), 1e-12);
    assertEquals(-1, Metrics.spearman(values, new double[] {4, 3, 2, 1}), 1e-12);
    // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / sqrt(4.5 * 5).
    assertEquals(4.5 / Math.sqrt(22.5), Metrics.spearman(values, new double[] {1, 2, 2, 3}), 1e-12);
  }

  @Test
  void characterErrorRateCountsEditsOverTheTruth() {
    assertEquals(0, Metrics.characterErrorRate(new String[] {"abc"}, new String[] {"abc"}));
    assertEquals(
        3 / 10.0,
        Metrics.characterErrorRate(
            new String[] {"sitten", "abXc"}, new String[] {"sitting", "abc"}),
        1e-12);
    assertEquals(1, Metrics.characterErrorRate(new String[] {""}, new String[] {"a"}));
  }

  @Test
  void differentSampleCountsAreRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> Metrics.accuracy(new float[][] {{1}}, new int[] {0, 0}));
  }
}
