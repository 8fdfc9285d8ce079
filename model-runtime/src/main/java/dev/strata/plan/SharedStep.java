package dev.strata.plan;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/// A step in parts that a team does together. It is run again and again: between two runs there is
/// no part to take, so a helper that comes late does nothing, or takes part in the next run.
final class SharedStep implements Runnable {

  /// How often the caller looks for the last parts before it naps, so that a helper which has lost
  /// its processor can have this one.
  private static final int LOOKS = 10_000;

  private static final long NAP_NANOS = 20_000;

  private final Team team;
  private final Runnable[] parts;
  private final AtomicInteger next;
  private final AtomicInteger done = new AtomicInteger();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  SharedStep(Team team, List<Runnable> parts) {
    this.team = team;
    this.parts = parts.toArray(Runnable[]::new);
    this.next = new AtomicInteger(this.parts.length);
  }

  /// Does what nobody else does, and waits for the rest.
  @Override
  public void run() {
    done.set(0);
    next.set(0);
    team.offer(this);
    takeParts();
    for (int looks = 0; done.get() < parts.length; looks++) {
      if (looks < LOOKS) {
        Thread.onSpinWait();
      } else {
        LockSupport.parkNanos(NAP_NANOS);
      }
    }
    if (failure.get() != null) {
      throw new IllegalStateException("a part of a step failed", failure.getAndSet(null));
    }
  }

  boolean hasParts() {
    return next.get() < parts.length;
  }

  /// @return whether there was one
  boolean takeParts() {
    boolean took = false;
    while (hasParts()) {
      int part = next.getAndIncrement();
      if (part >= parts.length) {
        break;
      }
      took = true;
      try {
        parts[part].run();
      } catch (Throwable thrown) {
        failure.compareAndSet(null, thrown);
      } finally {
        done.getAndIncrement();
      }
    }
    return took;
  }
}
