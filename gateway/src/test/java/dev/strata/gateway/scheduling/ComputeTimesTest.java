package dev.strata.gateway.scheduling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.gateway.call.Workload;
import dev.strata.precision.Bits;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ComputeTimesTest {

  private static final Bits TWO = new Bits(2);
  private static final Bits FOUR = new Bits(4);
  private static final Bits EIGHT = new Bits(8);
  private static final Workload ONE = new Workload(1, 6);

  private final ComputeTimes times = new ComputeTimes();

  @Test
  void nothingIsKnownBeforeTheFirstMeasurement() {
    assertEquals(0, times.predict(EIGHT, ONE, 0));
  }

  @Test
  void aSteadyTimeIsPredictedAsItIs() {
    for (int i = 0; i < 100; i++) {
      record(EIGHT, ONE, 10_000, i);
    }
    near(10_000, times.predict(EIGHT, ONE, 100), 10);
  }

  @Test
  void theFirstRunsOfAWorkerDoNotMisleadForLong() {
    record(EIGHT, ONE, 400_000, 0);
    record(EIGHT, ONE, 10_000, 1);
    record(EIGHT, ONE, 10_000, 2);
    near(10_000, times.predict(EIGHT, ONE, 3), 3_000);
  }

  @Test
  void aColdStartIsNotTakenToGrowWithTheRows() {
    Workload many = new Workload(32, 6);
    record(EIGHT, ONE, 400_000, 0);
    near(500_000, times.predict(EIGHT, many, 1), 10);
    steady(EIGHT, ONE, 10_000);
    near(320_000, times.predict(EIGHT, many, 2), 50_000);
  }

  @Test
  void anUnsteadyTimeIsPredictedWithCare() {
    Random random = new Random(1);
    int longer = 0;
    for (int i = 0; i < 2000; i++) {
      long measured = random.nextLong(10_000, 15_000);
      longer += i > 100 && measured > times.predict(EIGHT, ONE, i) ? 1 : 0;
      record(EIGHT, ONE, measured, i);
    }
    assertTrue(longer < 2000 / 4, () -> "too hopeful too often");
    assertTrue(times.predict(EIGHT, ONE, 2000) < 15_000, "not more than the longest");
  }

  @Test
  void aChangeIsNoticedWithinAFewDozenMeasurements() {
    for (int i = 0; i < 100; i++) {
      record(EIGHT, ONE, 10_000, i);
    }
    for (int i = 0; i < 40; i++) {
      record(EIGHT, ONE, 30_000, 100 + i);
    }
    near(30_000, times.predict(EIGHT, ONE, 140), 1_000);
  }

  @Test
  void whatWasNotMeasuredIsBorrowedFromWhatIsNear() {
    steady(EIGHT, ONE, 8_000);
    near(4_000, times.predict(FOUR, ONE, 0), 10);
    near(32_000, times.predict(EIGHT, new Workload(4, 6), 0), 10);
    near(16_000, times.predict(EIGHT, new Workload(1, 7), 0), 10);
    steady(TWO, ONE, 7_000);
    near(4_000, times.predict(FOUR, ONE, 0), 10);
    steady(FOUR, ONE, 7_500);
    near(7_500, times.predict(FOUR, ONE, 0), 10);
  }

  @Test
  void aWiderWidthIsFirstThoughtToBeAsFastAsANarrowerOne() {
    steady(TWO, ONE, 3_000);
    near(3_000, times.predict(EIGHT, ONE, 0), 10);
  }

  @Test
  void whatNobodyConfirmsFades() {
    steady(EIGHT, ONE, 8_000);
    near(8_000, times.predict(EIGHT, ONE, ComputeTimes.FADE_NANOS - 1), 10);
    near(4_000, times.predict(EIGHT, ONE, ComputeTimes.FADE_NANOS), 10);
    near(1_000, times.predict(EIGHT, ONE, 3 * ComputeTimes.FADE_NANOS), 10);
    times.recordUnfinished(EIGHT, ONE, 2_000, 3 * ComputeTimes.FADE_NANOS);
    near(8_000, times.predict(EIGHT, ONE, 3 * ComputeTimes.FADE_NANOS), 10);
  }

  @Test
  void whatWasGivenUpTookAtLeastSoLong() {
    times.recordUnfinished(EIGHT, ONE, 9_000, 0);
    assertEquals(9_000, times.predict(EIGHT, ONE, 0));
  }

  @Test
  void aLuckyMomentDoesNotMakeAWidthLookQuick() {
    steady(EIGHT, ONE, 10_000);
    record(EIGHT, ONE, 3_000, 0);
    near(10_000, (long) times.typical(EIGHT, ONE), 500);
  }

  @Test
  void allSizesTellWhatANarrowWidthSaves() {
    Workload four = new Workload(4, 6);
    Workload longer = new Workload(2, 7);
    steady(EIGHT, ONE, 10_000);
    steady(EIGHT, four, 40_000);
    steady(EIGHT, longer, 40_000);
    steady(TWO, ONE, 9_000);
    steady(TWO, four, 20_000);
    steady(TWO, longer, 16_000);
    near(320_000, (long) times.typical(EIGHT, new Workload(32, 6)), 10);
    Map<Bits, Double> shares = times.shares(List.of(TWO, FOUR, EIGHT), 0);
    assertEquals(1, shares.get(EIGHT));
    assertEquals(0.5, shares.get(TWO), 1e-6);
    assertEquals(0.5, shares.get(FOUR), 1e-6);
  }

  @Test
  void whatOthersHadOfTheProcessorIsNotTheWidths() {
    for (int i = 0; i < 100; i++) {
      times.record(TWO, ONE, new Took(12_000, 5_000), 0);
      times.record(EIGHT, ONE, new Took(10_000, 10_000), 0);
    }
    near(12_000, times.predict(TWO, ONE, 0), 10);
    assertEquals(0.5, times.shares(List.of(TWO, EIGHT), 0).get(TWO), 1e-6);
  }

  @Test
  void whatIsNoLongerBelievedIsMeasuredAnew() {
    steady(TWO, ONE, 9_000);
    steady(EIGHT, ONE, 10_000);
    for (int i = 0; i < ComputeTimes.FIRST_MEASUREMENTS; i++) {
      record(TWO, ONE, 3_000, ComputeTimes.MEMORY_NANOS);
    }
    Map<Bits, Double> shares = times.shares(List.of(TWO, EIGHT), ComputeTimes.MEMORY_NANOS);
    assertEquals(0.3, shares.get(TWO), 1e-6);
  }

  private void record(Bits bits, Workload work, long nanos, long now) {
    times.record(bits, work, new Took(nanos, nanos), now);
  }

  private void steady(Bits bits, Workload work, long nanos) {
    for (int i = 0; i < 100; i++) {
      record(bits, work, nanos, 0);
    }
  }

  private static void near(long expected, long predicted, long tolerance) {
    assertTrue(
        Math.abs(predicted - expected) <= tolerance,
        () -> "expected %d +- %d, predicted %d".formatted(expected, tolerance, predicted));
  }
}
