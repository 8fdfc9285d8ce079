package dev.strata.gateway.call;

import dev.strata.precision.Bits;
import java.util.Objects;
import java.util.Optional;

/// What a model's owner decides about its service.
///
/// @param precision what a request gets that names no precision
/// @param range widths that the server may choose by itself; a request that names a width exactly
///     is not bound by it
/// @param cacheBytes most bytes of answers that are kept; 0 keeps none
/// @param shadow which answers are checked at a wider width, if any
public record ModelPolicy(
    Precision precision,
    BitRange range,
    QueueSettings queue,
    BatchingSettings batching,
    long cacheBytes,
    Optional<ShadowSettings> shadow) {

  public ModelPolicy {
    Objects.requireNonNull(precision);
    Objects.requireNonNull(range);
    Objects.requireNonNull(queue);
    Objects.requireNonNull(batching);
    Objects.requireNonNull(shadow);
    if (precision instanceof Precision.ModelDefault || precision instanceof Precision.Ladder) {
      throw new IllegalArgumentException(
          "precision: got '%s', expected a choice of one width".formatted(precision.text()));
    }
    if (cacheBytes < 0) {
      throw new IllegalArgumentException(
          "cache-bytes: got %d, expected 0 or more".formatted(cacheBytes));
    }
  }

  /// The default width for whoever names none, batches as they come, no cache.
  public static ModelPolicy standard(Bits defaultBits) {
    return new ModelPolicy(
        new Precision.Exactly(defaultBits),
        BitRange.ALL,
        QueueSettings.STANDARD,
        BatchingSettings.STANDARD,
        0,
        Optional.empty());
  }
}
