package dev.strata.gateway.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.strata.gateway.call.BatchingSettings;
import dev.strata.gateway.call.BitRange;
import dev.strata.gateway.call.BitsReason;
import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.Forecast;
import dev.strata.gateway.call.Forecast.Expected;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ModelPolicy;
import dev.strata.gateway.call.Precision;
import dev.strata.gateway.call.Priority;
import dev.strata.gateway.call.QueueSettings;
import dev.strata.gateway.call.Urgency;
import dev.strata.precision.Bits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class PrecisionPolicyTest {

  private static final long MILLI = 1_000_000;
  private static final long NOW = 1000 * MILLI;
  private static final BrownOut CALM = BrownOut.calm(NOW);
  private static final BrownOut DEEP = level(BrownOut.MAX_LEVEL);

  @Test
  void anExactWishIsServedExactlyHoweverBusyItIs() {
    for (Bits bits : Bits.all()) {
      assertEquals(
          new Choice(bits, BitsReason.REQUESTED),
          choose(new Precision.Exactly(bits), Urgency.NONE, 100, DEEP));
    }
  }

  @Test
  void aWidthThatTheModelLacksIsRefusedAndNeverReplaced() {
    PrecisionPolicy narrow =
        new PrecisionPolicy(Bits.all().subList(0, 4), ModelPolicy.standard(new Bits(4)));
    InferenceException refused =
        assertThrows(
            InferenceException.class,
            () ->
                narrow.choose(
                    new Precision.Exactly(new Bits(5)), Urgency.NONE, forecast(0), CALM, NOW));
    assertEquals(ErrorCode.PRECISION_UNAVAILABLE, refused.code());
    assertEquals("bits: got 5, expected one of [1, 2, 3, 4]", refused.getMessage());
    assertEquals(
        ErrorCode.PRECISION_UNAVAILABLE,
        assertThrows(
                InferenceException.class,
                () -> narrow.choose(between(6, 8), Urgency.NONE, forecast(0), CALM, NOW))
            .code());
  }

  @Test
  void whoNamesNothingGetsWhatTheOwnerSet() {
    assertEquals(
        new Choice(new Bits(5), BitsReason.DEFAULT),
        choose(new Precision.ModelDefault(), Urgency.NONE, 100, DEEP));
    ModelPolicy auto =
        new ModelPolicy(
            new Precision.Auto(BitRange.ALL),
            new BitRange(new Bits(3), new Bits(6)),
            QueueSettings.STANDARD,
            BatchingSettings.STANDARD,
            0,
            Optional.empty());
    PrecisionPolicy policy = new PrecisionPolicy(Bits.all(), auto);
    assertEquals(
        new Choice(new Bits(6), BitsReason.WIDEST),
        policy.choose(new Precision.ModelDefault(), Urgency.NONE, forecast(0), CALM, NOW));
    assertEquals(
        new Choice(new Bits(3), BitsReason.BROWN_OUT, new Bits(6)),
        policy.choose(new Precision.ModelDefault(), Urgency.NONE, forecast(0), DEEP, NOW));
    assertEquals(
        new Choice(new Bits(8), BitsReason.REQUESTED),
        policy.choose(new Precision.Exactly(new Bits(8)), Urgency.NONE, forecast(0), CALM, NOW),
        "the owner's range binds the server, not the caller");
  }

  @Test
  void aBudgetGetsTheWidestThatFitsWaitingIncluded() {
    // b bits take b milliseconds.
    assertEquals(new Choice(new Bits(8), BitsReason.WIDEST), within(20, 0));
    assertEquals(new Choice(new Bits(8), BitsReason.WIDEST), within(8, 0));
    assertEquals(new Choice(new Bits(5), BitsReason.BUDGET), within(5, 0));
    assertEquals(new Choice(new Bits(3), BitsReason.BUDGET, new Bits(5)), within(5, 2));
    assertEquals(new Choice(new Bits(1), BitsReason.BUDGET, new Bits(5)), within(5, 4));
    assertEquals(
        new Choice(new Bits(1), BitsReason.BUDGET, new Bits(5)), within(5, 90), "none fits");
    assertEquals(
        new Choice(new Bits(2), BitsReason.BUDGET),
        choose(
            new Precision.Within(Duration.ofMillis(1), new BitRange(new Bits(2), new Bits(6))),
            Urgency.NONE,
            0,
            CALM));
  }

  @Test
  void aDeadlineIsTheBudgetOfAuto() {
    assertEquals(
        new Choice(new Bits(5), BitsReason.DEADLINE, new Bits(8)),
        choose(auto(), until(10), 4, CALM),
        "6 would be just in time if the wait were known exactly");
    assertEquals(new Choice(new Bits(8), BitsReason.WIDEST), choose(auto(), until(20), 4, CALM));
  }

  @Test
  void aWidthThatSavesNoTimeIsPassedOver() {
    Map<Bits, Long> compute = new HashMap<>();
    Bits.all().forEach(bits -> compute.put(bits, bits.count() > 4 ? 10 * MILLI : 5 * MILLI));
    assertEquals(
        List.of(new Bits(8), new Bits(4)), PrecisionPolicy.worthwhile(Bits.all(), compute::get));
    PrecisionPolicy policy = policy();
    assertEquals(
        new Choice(new Bits(4), BitsReason.BROWN_OUT, new Bits(8)),
        policy.choose(auto(), Urgency.NONE, forecast(0, compute, compute), level(2), NOW));
  }

  /// One request alone may be quicker at fewer bits though a batch is not: that helps a deadline,
  /// and does not help an overloaded server.
  @Test
  void whatMakesNoBatchCheaperIsNotTakenAwayByOverload() {
    Map<Bits, Long> alone = new HashMap<>();
    Map<Bits, Long> batch = new HashMap<>();
    Bits.all().forEach(bits -> alone.put(bits, bits.count() * MILLI));
    Bits.all().forEach(bits -> batch.put(bits, 20 * MILLI));
    Forecast forecast = forecast(0, alone, batch);
    assertEquals(
        new Choice(new Bits(8), BitsReason.WIDEST),
        policy().choose(auto(), Urgency.NONE, forecast, DEEP, NOW));
    assertEquals(
        new Choice(new Bits(3), BitsReason.DEADLINE),
        policy().choose(auto(), until(3), forecast, DEEP, NOW));
  }

  @Test
  void lowPriorityLosesBitsFirstAndIsRefusedFirst() {
    for (int level = 0; level <= BrownOut.MAX_LEVEL; level++) {
      List<Bits> served = new ArrayList<>();
      for (Priority priority : List.of(Priority.LOW, Priority.NORMAL, Priority.HIGH)) {
        served.add(choose(auto(), priority(priority), 0, level(level)).bits());
      }
      assertEquals(served.stream().sorted().toList(), served);
    }
    refused(ErrorCode.OVERLOADED, priority(Priority.LOW), 161);
    refused(ErrorCode.OVERLOADED, priority(Priority.NORMAL), 181);
    refused(ErrorCode.OVERLOADED, priority(Priority.HIGH), 201);
    choose(auto(), priority(Priority.LOW), 159, DEEP);
    choose(auto(), priority(Priority.NORMAL), 179, DEEP);
    choose(auto(), priority(Priority.HIGH), 199, DEEP);
  }

  @Test
  void whatWouldOnlyBeLateIsRefusedAtOnce() {
    InferenceException waiting = refused(ErrorCode.OVERLOADED, until(20), 30);
    assertEquals(Optional.of(Duration.ofMillis(11)), waiting.retryAfter());
    InferenceException hopeless = refused(ErrorCode.DEADLINE_EXCEEDED, until(0), 0);
    assertEquals(Optional.empty(), hopeless.retryAfter(), "another try would not help");
    assertThrows(
        InferenceException.class,
        () -> choose(new Precision.Exactly(new Bits(8)), until(7), 0, CALM));
    Urgency impatient =
        new Urgency(Priority.NORMAL, OptionalLong.empty(), Optional.of(Duration.ofMillis(3)));
    assertEquals(
        Optional.of(Duration.ofMillis(2)),
        refused(ErrorCode.QUEUE_TIMEOUT, impatient, 5).retryAfter());
  }

  private static InferenceException refused(ErrorCode code, Urgency urgency, long waitMillis) {
    InferenceException refused =
        assertThrows(InferenceException.class, () -> choose(auto(), urgency, waitMillis, DEEP));
    assertEquals(code, refused.code(), refused.getMessage());
    return refused;
  }

  private static Choice within(long budgetMillis, long waitMillis) {
    return choose(
        new Precision.Within(Duration.ofMillis(budgetMillis), BitRange.ALL),
        Urgency.NONE,
        waitMillis,
        CALM);
  }

  private static Choice choose(
      Precision wanted, Urgency urgency, long waitMillis, BrownOut brownOut) {
    return policy().choose(wanted, urgency, forecast(waitMillis), brownOut, NOW);
  }

  private static PrecisionPolicy policy() {
    return new PrecisionPolicy(Bits.all(), ModelPolicy.standard(new Bits(5)));
  }

  private static Forecast forecast(long waitMillis) {
    Map<Bits, Long> compute = new HashMap<>();
    Bits.all().forEach(bits -> compute.put(bits, bits.count() * MILLI));
    return forecast(waitMillis * MILLI, compute, compute);
  }

  /// Where no batch is under way.
  private static Forecast forecast(long waitNanos, Map<Bits, Long> compute, Map<Bits, Long> full) {
    Map<Bits, Expected> widths = new HashMap<>();
    compute.forEach((bits, nanos) -> widths.put(bits, new Expected(nanos, nanos, full.get(bits))));
    return new Forecast(waitNanos, widths);
  }

  private static BrownOut level(int level) {
    return new BrownOut(level, NOW, false, NOW, false, NOW, BrownOut.SHORTEST_HOLD_NANOS);
  }

  private static Precision auto() {
    return new Precision.Auto(BitRange.ALL);
  }

  private static Precision between(int least, int most) {
    return new Precision.Between(new BitRange(new Bits(least), new Bits(most)));
  }

  private static Urgency until(long millis) {
    return new Urgency(Priority.NORMAL, OptionalLong.of(NOW + millis * MILLI), Optional.empty());
  }

  private static Urgency priority(Priority priority) {
    return new Urgency(priority, OptionalLong.empty(), Optional.empty());
  }
}
