package dev.strata.gateway.scheduling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.gateway.call.BitRange;
import dev.strata.gateway.call.Precision;
import dev.strata.gateway.call.Priority;
import dev.strata.gateway.call.Workload;
import dev.strata.gateway.scheduling.Simulation.Arrival;
import dev.strata.gateway.scheduling.Simulation.Ending;
import dev.strata.gateway.scheduling.Simulation.History;
import dev.strata.precision.Bits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// What the policy makes of too much work. Unless a test says otherwise narrow widths are faster: 8
/// bits take 10 ms, so one worker answers 100 requests a second.
class OverloadSimulationTest {

  private static final double CAPACITY = 100;
  private static final Duration DEADLINE = Duration.ofMillis(100);
  private static final Duration LENGTH = Duration.ofSeconds(30);
  private static final Precision AUTO = new Precision.Auto(BitRange.ALL);
  private static final Bits EIGHT = new Bits(8);
  private static final Precision EXACTLY_8 = new Precision.Exactly(EIGHT);

  /// Milliseconds: time goes with the planes, and nothing is gained by batches.
  private static double byPlanes(Bits bits, Workload work) {
    return 10.0 * bits.count() / 8 * work.rows();
  }

  /// Bound by the activations: a batch takes the same at every width, and batches pay. One worker
  /// answers 276 requests a second.
  private static double byRows(Bits bits, Workload work) {
    return 5 + 3.0 * work.rows();
  }

  /// Bound by the bandwidth of the planes: a batch hardly takes longer than one request, and a
  /// quarter of the bits a little more than a quarter of the time. One worker answers 740 requests
  /// a second at 8 bits.
  private static double byBandwidth(Bits bits, Workload work) {
    return 1.25 * bits.count() + 0.1 * work.rows();
  }

  /// Bound by the computation, as MiniLM is on a processor without byte products: nothing is gained
  /// by batches, sentences differ in length, and 8 bits take 1.6 times as long as fewer. One worker
  /// answers 71 requests a second at 8 bits.
  private static double bySentence(Bits bits, Workload work) {
    return (bits.equals(EIGHT) ? 14 : 8.8)
        * Math.scalb((double) work.rows(), work.lengthClass() - 6);
  }

  @Test
  void halfTheCapacityIsServedAtFullWidth() {
    History history = replay(AUTO, 0.5, true);
    assertTrue(history.inTime() >= 0.99 * history.endings().size());
    double mean = history.endings().stream().mapToInt(Ending::bits).average().orElseThrow();
    assertTrue(mean > 7.5, "mean width " + mean);
  }

  /// Refusing keeps the worker busy with 8 bits all the time, so at twice the capacity even a
  /// perfect server could at most double what it answers. One that does not know its widths yet
  /// tries them one after the other.
  @Test
  void browningOutAnswersTwiceAsManyInTimeAsRefusing() {
    for (double load : new double[] {2, 5}) {
      History refusing = replay(EXACTLY_8, load, false);
      History browning = replay(AUTO, load, true);
      double gain = (double) browning.inTime() / refusing.inTime();
      String figures =
          "%s times the capacity: in time %d of %d refusing, %d browning out, %.2f times as many"
              .formatted(
                  load, refusing.inTime(), refusing.endings().size(), browning.inTime(), gain);
      double possible = (double) refusing.endings().size() / refusing.inTime();
      assertTrue(refusing.inTime() >= 0.95 * CAPACITY * LENGTH.toSeconds(), figures);
      assertTrue(gain >= Math.min(2, 0.96 * possible), figures);
    }
  }

  /// But for the second in which it finds that out.
  @Test
  void whereNarrowBatchesAreNotCheaperNobodyIsAnsweredLessOften() {
    for (double load : new double[] {1, 2, 5}) {
      double rate = load * 8 / byRows(EIGHT, new Workload(8, 6)) * 1000;
      History exact = replay(OverloadSimulationTest::byRows, EXACTLY_8, rate, false);
      History auto = replay(OverloadSimulationTest::byRows, AUTO, rate, true);
      String figures = figures(load, exact, auto);
      assertTrue(auto.inTime() >= 0.99 * exact.inTime(), figures);
      assertTrue(meanBits(auto, Priority.NORMAL) >= 7.5, figures);
    }
  }

  @Test
  void whereNarrowBatchesAreMuchCheaperTwiceAsManyAreAnsweredInTime() {
    for (double load : new double[] {1, 2, 5}) {
      double rate = load * 8 / byBandwidth(EIGHT, new Workload(8, 6)) * 1000;
      History exact = replay(OverloadSimulationTest::byBandwidth, EXACTLY_8, rate, false);
      History auto = replay(OverloadSimulationTest::byBandwidth, AUTO, rate, true);
      double gain = (double) auto.inTime() / exact.inTime();
      double possible = (double) exact.endings().size() / exact.inTime();
      String figures = figures(load, exact, auto);
      assertTrue(gain >= Math.min(2, 0.97 * possible), figures);
    }
  }

  @Test
  void whereSentencesDifferInLengthWhatNarrowWidthsSaveIsFoundAllTheSame() {
    for (double load : new double[] {2, 5}) {
      double rate = load * 71;
      History exact = replaySentences(EXACTLY_8, rate, false);
      History auto = replaySentences(AUTO, rate, true);
      double gain = (double) auto.inTime() / exact.inTime();
      String figures = figures(load, exact, auto);
      assertTrue(gain >= 1.25, figures);
    }
  }

  @Test
  void aLastingOverloadDoesNotMakeItFlap() {
    for (double load : new double[] {1.2, 2, 5}) {
      History history = replay(AUTO, load, true);
      assertTrue(
          history.transitions() <= 45,
          "%d transitions in half a minute at %s".formatted(history.transitions(), load));
    }
  }

  @Test
  void aSpikeIsOverSoonAfterItsEnd() {
    Arrival like = new Arrival(0, AUTO, Priority.NORMAL, DEADLINE);
    List<Arrival> trace = new ArrayList<>();
    trace.addAll(Simulation.poisson(0.4 * CAPACITY, Duration.ofSeconds(10), like, 0, 1));
    trace.addAll(
        Simulation.poisson(
            6 * CAPACITY, Duration.ofSeconds(1), like, Duration.ofSeconds(10).toNanos(), 2));
    trace.addAll(
        Simulation.poisson(
            0.4 * CAPACITY, Duration.ofSeconds(20), like, Duration.ofSeconds(11).toNanos(), 3));
    History history = new Simulation(1, OverloadSimulationTest::byPlanes, true, 4).replay(trace);
    List<Ending> after =
        history.endings().stream()
            .filter(ending -> ending.arrival().atNanos() > Duration.ofSeconds(20).toNanos())
            .toList();
    double mean = after.stream().mapToInt(Ending::bits).average().orElseThrow();
    assertTrue(mean > 7.5, "mean width after the spike " + mean);
    assertTrue(after.stream().allMatch(Ending::inTime));
  }

  @Test
  void exactRequestsAreNeverAltered() {
    List<Arrival> trace = new ArrayList<>();
    trace.addAll(arrivals(AUTO, Priority.NORMAL, 4, 5));
    trace.addAll(arrivals(EXACTLY_8, Priority.NORMAL, 0.3, 6));
    trace.sort(Comparator.comparingLong(Arrival::atNanos));
    History history = new Simulation(1, OverloadSimulationTest::byPlanes, true, 7).replay(trace);
    List<Ending> exact =
        history.endings().stream()
            .filter(ending -> ending.arrival().wish().equals(EXACTLY_8))
            .filter(ending -> ending.choice().isPresent())
            .toList();
    assertTrue(exact.size() > 100, "only " + exact.size() + " were accepted");
    exact.forEach(ending -> assertEquals(8, ending.bits()));
  }

  @Test
  void highPriorityKeepsMoreBitsAndIsAnsweredMoreOften() {
    List<Arrival> trace = new ArrayList<>();
    trace.addAll(arrivals(AUTO, Priority.HIGH, 1, 0));
    trace.addAll(arrivals(AUTO, Priority.NORMAL, 1, 1));
    trace.addAll(arrivals(AUTO, Priority.LOW, 1, 2));
    trace.sort(Comparator.comparingLong(Arrival::atNanos));
    History history = new Simulation(1, OverloadSimulationTest::byPlanes, true, 8).replay(trace);
    double high = meanBits(history, Priority.HIGH);
    double normal = meanBits(history, Priority.NORMAL);
    double low = meanBits(history, Priority.LOW);
    assertTrue(high > normal && normal > low, () -> "bits " + List.of(high, normal, low));
    double highInTime = shareInTime(history, Priority.HIGH);
    double lowInTime = shareInTime(history, Priority.LOW);
    assertTrue(highInTime >= lowInTime - 0.02, () -> highInTime + " and " + lowInTime);
  }

  private static String figures(double load, History exact, History auto) {
    return "%s times the capacity: in time %d of %d at 8 bits, %d of auto at %.2f bits"
        .formatted(
            load,
            exact.inTime(),
            exact.endings().size(),
            auto.inTime(),
            meanBits(auto, Priority.NORMAL));
  }

  private static double meanBits(History history, Priority priority) {
    return history.endings().stream()
        .filter(ending -> ending.arrival().priority() == priority)
        .filter(ending -> ending.choice().isPresent())
        .mapToInt(Ending::bits)
        .average()
        .orElseThrow();
  }

  private static double shareInTime(History history, Priority priority) {
    return history.endings().stream()
        .filter(ending -> ending.arrival().priority() == priority)
        .mapToInt(ending -> ending.inTime() ? 1 : 0)
        .average()
        .orElseThrow();
  }

  private static History replay(Precision wish, double load, boolean brownsOut) {
    return replay(OverloadSimulationTest::byPlanes, wish, load * CAPACITY, brownsOut);
  }

  private static History replay(
      Simulation.Cost cost, Precision wish, double perSecond, boolean brownsOut) {
    Arrival like = new Arrival(0, wish, Priority.NORMAL, DEADLINE);
    return new Simulation(1, cost, brownsOut, 11)
        .replay(Simulation.poisson(perSecond, LENGTH, like, 0, 12));
  }

  private static History replaySentences(Precision wish, double perSecond, boolean brownsOut) {
    Random lengths = new Random(13);
    List<Arrival> trace =
        Simulation.poisson(
                perSecond, LENGTH, new Arrival(0, wish, Priority.NORMAL, DEADLINE), 0, 12)
            .stream()
            .map(
                like ->
                    new Arrival(
                        like.atNanos(),
                        wish,
                        like.priority(),
                        DEADLINE,
                        5 + (int) (2.5 * lengths.nextDouble())))
            .toList();
    return new Simulation(1, OverloadSimulationTest::bySentence, brownsOut, 14)
        .shared()
        .replay(trace);
  }

  private static List<Arrival> arrivals(Precision wish, Priority priority, double load, long seed) {
    return Simulation.poisson(
        load * CAPACITY, LENGTH, new Arrival(0, wish, priority, DEADLINE), 0, seed);
  }
}
