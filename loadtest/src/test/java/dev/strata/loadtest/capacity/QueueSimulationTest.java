package dev.strata.loadtest.capacity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The formula against a simulation of the queue, over the numbers of workers, loads and service
/// times that docs/capacity.md speaks of.
final class QueueSimulationTest {

  private static final long SEED = 7;
  private static final int REQUESTS = 400_000;

  /// The bounds that docs/capacity.md states: of the service time for the mean wait, and of the
  /// percentile for the 99th.
  private static final double MEAN_ERROR = 0.15;

  private static final double P99_ERROR = 0.25;

  private record Simulated(double meanWaitMillis, double p99Millis) {}

  @Test
  void theFormulaIsWithinItsStatedErrorOfASimulation() {
    double worstMean = 0;
    double worstP99 = 0;
    for (int servers : new int[] {1, 2, 3, 4, 8, 16, 32}) {
      for (double use : new double[] {0.3, 0.5, 0.7, 0.8, 0.9}) {
        for (double variability : new double[] {0, 0.25, 1}) {
          Service service = new Service(5, variability);
          Queue queue = new Queue(use * servers * 1e3 / 5, 1, service, servers);
          Simulated simulated = simulate(queue);
          double mean =
              Math.abs(queue.meanWaitMillis() - simulated.meanWaitMillis()) / service.meanMillis();
          double p99 = queue.p99Millis() / simulated.p99Millis() - 1;
          worstMean = Math.max(worstMean, mean);
          worstP99 = Math.max(worstP99, Math.abs(p99));
          String at = "c=%d use=%.1f v=%.2f".formatted(servers, use, variability);
          assertTrue(
              mean <= MEAN_ERROR, () -> "%s: %s, formula %s".formatted(at, simulated, queue));
          assertTrue(
              Math.abs(p99) <= P99_ERROR,
              () -> "%s: %s, formula %.2f".formatted(at, simulated, queue.p99Millis()));
        }
      }
    }
    System.out.printf(
        "worst error: mean wait %.3f service times, p99 %.1f %%%n", worstMean, 100 * worstP99);
  }

  /// One worker and exponential service is solved exactly.
  @Test
  void oneServerWithExponentialServiceIsExact() {
    Queue queue = new Queue(80, 1, new Service(10, 1), 1);
    assertEquals(0.8, queue.waits(), 1e-12);
    assertEquals(40, queue.meanWaitMillis(), 1e-9);
    assertEquals(0.8 * Math.exp(-2), queue.waitsLonger(100), 1e-12);
  }

  private static Simulated simulate(Queue queue) {
    SplittableRandom random = new SplittableRandom(SEED);
    PriorityQueue<Double> free = new PriorityQueue<>();
    for (int i = 0; i < queue.servers(); i++) {
      free.add(0.0);
    }
    double now = 0;
    double waited = 0;
    double[] answered = new double[REQUESTS];
    for (int i = 0; i < REQUESTS; i++) {
      now += exponential(random) * 1e3 / queue.perSecond();
      double start = Math.max(now, free.remove());
      double service = service(random, queue.service());
      free.add(start + service);
      waited += start - now;
      answered[i] = start + service - now;
    }
    Arrays.sort(answered);
    return new Simulated(waited / REQUESTS, answered[(int) (REQUESTS * 0.99)]);
  }

  /// Erlang-distributed: a sum of as many exponentials as make the variability.
  private static double service(SplittableRandom random, Service service) {
    if (service.variability() == 0) {
      return service.meanMillis();
    }
    int parts = (int) Math.round(1 / service.variability());
    double sum = 0;
    for (int i = 0; i < parts; i++) {
      sum += exponential(random);
    }
    return service.meanMillis() * sum / parts;
  }

  private static double exponential(SplittableRandom random) {
    return -Math.log1p(-random.nextDouble());
  }
}
