package dev.strata.gateway.call;

import java.time.Duration;

/// How much work may wait for one model.
///
/// @param target predicted wait above which flexible requests begin to lose bits
/// @param limit predicted wait above which requests are refused
public record QueueSettings(Duration target, Duration limit) {

  public static final QueueSettings STANDARD =
      new QueueSettings(Duration.ofMillis(50), Duration.ofMillis(200));

  public QueueSettings {
    if (target.isNegative() || target.compareTo(limit) >= 0) {
      throw new IllegalArgumentException(
          "queue: got target %s and limit %s, expected 0 <= target < limit"
              .formatted(target, limit));
    }
  }
}
