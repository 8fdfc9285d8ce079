package dev.strata.gateway.call;

import dev.strata.precision.Bits;
import java.util.Objects;

/// Widths from `least` to `most`, both included.
public record BitRange(Bits least, Bits most) {

  /// No bound at all.
  public static final BitRange ALL = new BitRange(new Bits(1), new Bits(Bits.MAX));

  public BitRange {
    Objects.requireNonNull(least);
    Objects.requireNonNull(most);
    if (least.compareTo(most) > 0) {
      throw new IllegalArgumentException("bits: got %s to %s, empty".formatted(least, most));
    }
  }

  public boolean contains(Bits bits) {
    return least.compareTo(bits) <= 0 && bits.compareTo(most) <= 0;
  }

  @Override
  public String toString() {
    return least + "-" + most;
  }
}
