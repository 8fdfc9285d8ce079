package dev.strata.gateway.call;

import java.time.Duration;

/// Who gives way when there is too much to do: low loses bits first, is refused first, and waits
/// longest.
public enum Priority {
  HIGH(Duration.ofMillis(100)),
  NORMAL(Duration.ofSeconds(1)),
  LOW(Duration.ofSeconds(10));

  private final Duration patience;

  Priority(Duration patience) {
    this.patience = patience;
  }

  /// When a request without a deadline is due, counted from its arrival. It orders the queue; a
  /// request that waits longer loses nothing.
  public Duration patience() {
    return patience;
  }
}
