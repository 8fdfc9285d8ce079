package dev.strata.gateway.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.gateway.call.Priority;
import dev.strata.gateway.call.QueueSettings;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class BrownOutTest {

  private static final long MILLI = 1_000_000;
  private static final long HOLD = BrownOut.SHORTEST_HOLD_NANOS;
  private static final QueueSettings QUEUE =
      new QueueSettings(Duration.ofMillis(20), Duration.ofMillis(200));

  @Test
  void nothingHappensUpToTheTarget() {
    assertEquals(0, after(BrownOut.calm(0), 1, 0).level());
    assertEquals(0, after(BrownOut.calm(0), 1, 20).level());
  }

  @Test
  void theLevelRisesAtOnceInProportionToTheWait() {
    assertEquals(1, after(BrownOut.calm(0), 1, 21).level());
    assertEquals(5, after(BrownOut.calm(0), 1, 120).level());
    assertEquals(BrownOut.MAX_LEVEL, after(BrownOut.calm(0), 1, 200).level());
    assertEquals(BrownOut.MAX_LEVEL, after(BrownOut.calm(0), 1, 100_000).level());
  }

  @Test
  void itFallsOneByOneWhenTheWaitHasStayedLow() {
    BrownOut state = after(BrownOut.calm(0), 0, 120);
    state = after(state, 1, 0);
    assertEquals(5, after(state, 1 + HOLD / MILLI - 1, 0).level());
    state = after(state, 1 + HOLD / MILLI, 0);
    assertEquals(4, state.level());
    assertEquals(4, after(state, 2 * (HOLD / MILLI), 0).level());
    assertEquals(3, after(state, 1 + 2 * (HOLD / MILLI), 0).level());
  }

  @Test
  void aWaitBetweenHalfTheTargetAndTheTargetHoldsTheLevel() {
    BrownOut state = after(BrownOut.calm(0), 0, 120);
    for (int millis = 1; millis < 10_000; millis += 10) {
      state = after(state, millis, 15);
    }
    assertEquals(5, state.level());
  }

  @Test
  void silenceIsCalm() {
    BrownOut state = after(BrownOut.calm(0), 0, 200);
    long later = (BrownOut.MAX_LEVEL + 2) * HOLD;
    assertEquals(0, state.at(later).level());
    assertEquals(0, state.observe(later, 0, QUEUE).level());
  }

  @Test
  void aFallThatIsTakenBackDoublesTheHold() {
    BrownOut state = after(BrownOut.calm(0), 0, 21);
    long now = 0;
    for (int i = 1; i <= 3; i++) {
      now += 1;
      state = after(state, now, 0);
      now += state.holdNanos() / MILLI;
      state = after(state, now, 0);
      assertEquals(0, state.level());
      now += 1;
      state = after(state, now, 21);
      assertEquals(1, state.level());
      assertEquals(HOLD << i, state.holdNanos());
    }
  }

  @Test
  void lowPriorityGivesWayBeforeHigh() {
    for (int wait = 0; wait <= 200; wait++) {
      BrownOut state = after(BrownOut.calm(0), 0, wait);
      assertTrue(state.steps(Priority.LOW) >= state.steps(Priority.NORMAL));
      assertTrue(state.steps(Priority.NORMAL) >= state.steps(Priority.HIGH));
    }
    BrownOut first = after(BrownOut.calm(0), 0, 21);
    assertEquals(1, first.steps(Priority.LOW));
    assertEquals(0, first.steps(Priority.NORMAL));
    BrownOut last = after(BrownOut.calm(0), 0, 200);
    assertEquals(7, last.steps(Priority.HIGH), "all the way from 8 bits to 1");
  }

  private static BrownOut after(BrownOut state, long millis, long waitMillis) {
    return state.observe(millis * MILLI, waitMillis * MILLI, QUEUE);
  }
}
