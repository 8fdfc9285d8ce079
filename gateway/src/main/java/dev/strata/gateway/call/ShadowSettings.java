package dev.strata.gateway.call;

import dev.strata.precision.Bits;
import java.util.Objects;

/// A share of a model's narrower answers is computed again at this width while nobody waits, to see
/// whether they agree.
///
/// @param share of the answers, over 0 to 1
/// @param cosine answers that are vectors agree from here on, 0 to 1
public record ShadowSettings(Bits bits, double share, double cosine) {

  /// What vectors must have in common unless the owner says otherwise.
  public static final double STANDARD_COSINE = 0.95;

  public ShadowSettings {
    Objects.requireNonNull(bits);
    if (!(share > 0 && share <= 1)) {
      throw new IllegalArgumentException(
          "shadow.share: got %s, expected a number over 0, at most 1".formatted(share));
    }
    if (!(cosine >= 0 && cosine <= 1)) {
      throw new IllegalArgumentException(
          "shadow.cosine: got %s, expected a number from 0 to 1".formatted(cosine));
    }
  }
}
