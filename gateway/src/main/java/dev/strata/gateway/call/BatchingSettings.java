package dev.strata.gateway.call;

import java.time.Duration;
import java.util.List;

/// How requests of one model and width are computed together.
///
/// @param maxRows most rows of one batch; 1 computes each request alone. A request with more rows
///     is a batch of its own
/// @param maxDelay how long the first of a batch waits for others; zero takes what is queued
/// @param preferredRows sizes that are worth a wait of up to `maxDelay`, ascending; empty:
///     `maxRows`
/// @param padding which texts go together
public record BatchingSettings(
    int maxRows, Duration maxDelay, List<Integer> preferredRows, Padding padding) {

  public enum Padding {
    /// Texts are padded to the longest of their batch where the model's mask hides the padding.
    BUCKET,
    /// Only texts of the same number of tokens go together.
    EQUAL
  }

  public static final BatchingSettings STANDARD =
      new BatchingSettings(8, Duration.ZERO, List.of(), Padding.BUCKET);

  public BatchingSettings {
    preferredRows = List.copyOf(preferredRows);
    if (maxRows < 1) {
      throw new IllegalArgumentException(
          "batching.max-rows: got %d, expected at least 1".formatted(maxRows));
    }
    if (maxDelay.isNegative()) {
      throw new IllegalArgumentException(
          "batching.max-delay: got %s, expected zero or more".formatted(maxDelay));
    }
    int before = 0;
    for (int rows : preferredRows) {
      if (rows <= before || rows > maxRows) {
        throw new IllegalArgumentException(
            "batching.preferred-rows: got %s, expected ascending numbers from 1 to %d"
                .formatted(preferredRows, maxRows));
      }
      before = rows;
    }
  }
}
