package dev.strata.gateway.policy;

import dev.strata.gateway.call.Priority;
import dev.strata.gateway.call.QueueSettings;

/// How many bits flexible requests of one model give up, as a function of what the clock and the
/// predicted wait have been. Pure: [#observe] makes the next state.
///
/// The level rises at once, in proportion to how far the wait is between target and limit. It falls
/// one by one, each time the wait has stayed under half the target for the hold. When a fall has to
/// be taken back soon, the hold doubles, so that a lasting overload does not make it flap.
///
/// @param level 0 (calm) to [#MAX_LEVEL]
/// @param observedNanos when the state was last made
/// @param calmSinceNanos since when the wait has been low; of no meaning unless `calm`
/// @param fellNanos when the level last fell; of no meaning unless `fell`
/// @param holdNanos how long the wait must be low before the level falls
public record BrownOut(
    int level,
    long observedNanos,
    boolean calm,
    long calmSinceNanos,
    boolean fell,
    long fellNanos,
    long holdNanos) {

  /// Enough steps for low priority to lose 7 of 8 widths before high loses more than 5.
  public static final int MAX_LEVEL = 9;

  static final long SHORTEST_HOLD_NANOS = 250_000_000;
  static final long LONGEST_HOLD_NANOS = 16_000_000_000L;

  /// Nothing to give up.
  public static BrownOut calm(long now) {
    return new BrownOut(0, now, true, now, false, now, SHORTEST_HOLD_NANOS);
  }

  /// @param waitNanos how long a request accepted now would wait
  public BrownOut observe(long now, long waitNanos, QueueSettings queue) {
    BrownOut settled = at(now);
    int demanded = demanded(waitNanos, queue);
    if (demanded > settled.level) {
      return settled.raised(demanded, now);
    }
    if (waitNanos * 2 > queue.target().toNanos()) {
      return settled.withCalm(false, now, now);
    }
    return settled.calm
        ? settled.withCalm(true, settled.calmSinceNanos, now)
        : settled.withCalm(true, now, now);
  }

  /// The state after the silence since it was last made: nobody came, so nothing waits.
  public BrownOut at(long now) {
    boolean silent = calm || now - observedNanos > holdNanos;
    if (!silent || level == 0) {
      return this;
    }
    long since = calm ? calmSinceNanos : observedNanos;
    int falls = (int) Math.min(level, (now - since) / holdNanos);
    if (falls == 0) {
      return this;
    }
    long fallen = since + falls * holdNanos;
    return new BrownOut(level - falls, observedNanos, true, fallen, true, fallen, holdNanos);
  }

  /// How many of the widths that it would accept a request passes over.
  public int steps(Priority priority) {
    int spared =
        switch (priority) {
          case LOW -> 0;
          case NORMAL -> 1;
          case HIGH -> 2;
        };
    return Math.max(0, level - spared);
  }

  private static int demanded(long waitNanos, QueueSettings queue) {
    double target = queue.target().toNanos();
    double over = (waitNanos - target) / (queue.limit().toNanos() - target);
    return Math.clamp((long) Math.ceil(MAX_LEVEL * over), 0, MAX_LEVEL);
  }

  private BrownOut raised(int demanded, long now) {
    boolean soon = fell && now - fellNanos < 2 * holdNanos;
    long hold = soon ? Math.min(2 * holdNanos, LONGEST_HOLD_NANOS) : holdNanos;
    boolean forgotten = fell && level == 0 && now - fellNanos > LONGEST_HOLD_NANOS;
    return new BrownOut(
        demanded, now, false, now, false, now, forgotten ? SHORTEST_HOLD_NANOS : hold);
  }

  private BrownOut withCalm(boolean isCalm, long since, long now) {
    return new BrownOut(level, now, isCalm, since, fell, fellNanos, holdNanos);
  }
}
