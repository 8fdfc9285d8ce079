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
}
