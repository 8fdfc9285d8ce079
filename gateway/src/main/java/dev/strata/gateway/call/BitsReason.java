package dev.strata.gateway.call;

import java.util.Locale;

/// Why a request was served at the width it was.
public enum BitsReason {
  /// It asked for exactly this width.
  REQUESTED,
  /// It named none, and the model's owner did.
  DEFAULT,
  /// The widest it accepts: nothing stood in the way.
  WIDEST,
  /// A wider one would not have met its latency budget.
  BUDGET,
  /// A wider one would not have met its deadline.
  DEADLINE,
  /// There was too much to do.
  BROWN_OUT,
  /// Cascade: the narrow answer was clear enough.
  CONFIDENT,
  /// Cascade: the narrow answer was not clear, so a wider one was computed.
  UNSURE,
  /// Cascade: the narrow answer was not clear, and there was no room for a wider one.
  UNSURE_AND_BUSY,
  /// One rung of the ladder it asked for.
  RUNG;

  /// Lower case, as answers and metrics show it.
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// @return whether the request got fewer bits than it would have got from an idle server
  public boolean degraded() {
    return switch (this) {
      case BUDGET, DEADLINE, BROWN_OUT, UNSURE_AND_BUSY -> true;
      case REQUESTED, DEFAULT, WIDEST, CONFIDENT, UNSURE, RUNG -> false;
    };
  }
}
