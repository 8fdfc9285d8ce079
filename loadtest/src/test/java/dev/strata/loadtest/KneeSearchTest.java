package dev.strata.loadtest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.strata.loadtest.report.KneeFigures;
import dev.strata.loadtest.report.RunSummary;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class KneeSearchTest {

  @Test
  void theKneeOfASimulatedServerIsFound() throws InterruptedException {
    KneeSearch.Found knee =
        new KneeSearch(20, 10, 6).find(rate -> served(rate, rate > 700 ? 50 : 5));

    assertEquals(700, knee.rate(), 15);
    assertEquals(5, best(knee).latency().p99());
  }

  @Test
  void aServerThatNeverHoldsHasNoKnee() throws InterruptedException {
    KneeSearch.Found knee = new KneeSearch(20, 10, 3).find(rate -> served(rate, 50));

    assertEquals(0, knee.rate());
  }

  @Test
  void oneHiccupIsNoKnee() throws InterruptedException {
    AtomicInteger trials = new AtomicInteger();
    KneeSearch.Found knee =
        new KneeSearch(20, 10, 6)
            .find(rate -> served(rate, rate > 700 || trials.getAndIncrement() % 2 == 0 ? 50 : 5));

    assertEquals(700, knee.rate(), 15);
  }

  private static RunSummary.Row best(KneeSearch.Found found) {
    return new KneeFigures.Knee("target", "bits=8", found.rate(), found.trials())
        .best()
        .usual()
        .orElseThrow();
  }

  private static RunSummary served(double rate, double millis) {
    RunSummary.Latency latency =
        new RunSummary.Latency(millis, millis, millis, millis, millis, millis);
    RunSummary.Row row = new RunSummary.Row("call", "grpc", "bits=8", 8, 100, 100, latency, 1, 2);
    return new RunSummary(
        "rate " + rate, 20, 1, 100, 0, 100, 100, Map.of(), Map.of(), List.of(row), List.of());
  }
}
