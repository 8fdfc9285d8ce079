package dev.strata.gateway.policy;

import dev.strata.gateway.call.BitsReason;
import dev.strata.precision.Bits;

/// A width, and why it is that one.
///
/// @param unhindered what an idle server would have chosen
public record Choice(Bits bits, BitsReason reason, Bits unhindered) {

  /// Load took nothing away.
  public Choice(Bits bits, BitsReason reason) {
    this(bits, reason, bits);
  }

  /// The widest it may still become in a batch that has room for it: load may give back what it
  /// took. What a budget took stays away, since only the choice knows the budget.
  public Bits ceiling() {
    return switch (reason) {
      case BROWN_OUT, DEADLINE -> unhindered.compareTo(bits) > 0 ? unhindered : bits;
      case REQUESTED, DEFAULT, WIDEST, BUDGET, CONFIDENT, UNSURE, UNSURE_AND_BUSY, RUNG -> bits;
    };
  }

  /// The same choice, computed at another width.
  public Choice servedAt(Bits width) {
    if (width.equals(bits)) {
      return this;
    }
    return new Choice(width, width.equals(unhindered) ? BitsReason.WIDEST : reason, unhindered);
  }
}
