package dev.strata.gateway;

import jakarta.inject.Singleton;

/// How far the server is on its way out. It only goes forward.
@Singleton
public final class Drain {

  public enum Phase {
    SERVING,
    /// Not ready any more, so that nobody sends more, and still answering whoever has not noticed.
    LEAVING,
    /// Refusing what is new, finishing what is under way.
    REFUSING
  }

  private volatile Phase phase = Phase.SERVING;

  public Phase phase() {
    return phase;
  }

  public boolean leaving() {
    return phase != Phase.SERVING;
  }

  public boolean refusing() {
    return phase == Phase.REFUSING;
  }

  public void leave() {
    phase = Phase.LEAVING;
  }

  public void refuse() {
    phase = Phase.REFUSING;
  }
}
