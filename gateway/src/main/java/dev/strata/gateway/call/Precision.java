package dev.strata.gateway.call;

import dev.strata.precision.Bits;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/// What precision a caller asked for. Adapters build it; only the policy takes it apart.
public sealed interface Precision {

  /// This width and no other, whatever the load.
  record Exactly(Bits bits) implements Precision {
    public Exactly {
      Objects.requireNonNull(bits);
    }
  }

  /// The widest of these, unless there is too much to do.
  record Between(BitRange range) implements Precision {
    public Between {
      Objects.requireNonNull(range);
    }
  }

  /// The widest of these that answers within the budget, waiting included.
  record Within(Duration budget, BitRange range) implements Precision {
    public Within {
      Objects.requireNonNull(budget);
      Objects.requireNonNull(range);
    }
  }

  /// The server's choice among these; a deadline, if there is one, is the budget.
  record Auto(BitRange range) implements Precision {
    public Auto {
      Objects.requireNonNull(range);
    }
  }

  /// A narrow width first, and a wider one only where the model is not sure.
  record Cascade() implements Precision {}

  /// Each of these in turn, one answer each.
  ///
  /// @param rungs ascending, at least one
  record Ladder(List<Bits> rungs) implements Precision {
    public Ladder {
      rungs = List.copyOf(rungs);
    }
  }

  /// Whatever the model's owner set.
  record ModelDefault() implements Precision {}

  /// How an answer repeats the wish.
  default String text() {
    return switch (this) {
      case Exactly(Bits bits) -> bits.toString();
      case Between(BitRange range) -> range.toString();
      case Within(Duration budget, BitRange range) ->
          "%s within %d us".formatted(range, budget.toNanos() / 1000);
      case Auto(BitRange range) -> range.equals(BitRange.ALL) ? "auto" : "auto " + range;
      case Cascade() -> "cascade";
      case Ladder(List<Bits> rungs) -> "ladder " + rungs;
      case ModelDefault() -> "default";
    };
  }
}
