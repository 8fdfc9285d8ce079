package dev.strata.gateway.call;

import dev.strata.precision.Bits;
import java.util.Objects;

/// What precision a caller asked for. Adapters build it; only the policy takes it apart.
public sealed interface Precision {

  /// This width and no other.
  record Exactly(Bits bits) implements Precision {
    public Exactly {
      Objects.requireNonNull(bits);
    }
  }

  /// Whatever the model's description calls its default.
  record ModelDefault() implements Precision {}
}
