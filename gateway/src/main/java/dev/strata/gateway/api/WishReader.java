package dev.strata.gateway.api;

import dev.strata.gateway.call.BitRange;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.Precision;
import dev.strata.gateway.call.Priority;
import dev.strata.gateway.call.Urgency;
import dev.strata.precision.Bits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// Makes a precision and an urgency out of what clients write, or refuses what contradicts itself.
/// The names are the same wherever they stand.
public final class WishReader {

  private static final String BITS = "bits";
  private static final String MIN_BITS = "min_bits";
  private static final String MAX_BITS = "max_bits";
  private static final String BUDGET = "latency_budget_us";
  private static final String PRECISION = "precision";
  private static final String LADDER = "ladder";
  private static final String PRIORITY = "priority";
  private static final String TIMEOUT = "timeout";

  private static final long MOST_MICROS = 86_400_000_000L;

  private WishReader() {}

  /// @return empty if nothing is said about precision
  /// @throws InferenceException naming the field, or the two that contradict each other
  public static Optional<Precision> precision(Wishes wishes) {
    Optional<Bits> bits = wishes.bits(BITS);
    Optional<Bits> least = wishes.bits(MIN_BITS);
    Optional<Bits> most = wishes.bits(MAX_BITS);
    OptionalLong budget = wishes.integer(BUDGET, 1, MOST_MICROS);
    Optional<String> choice = wishes.text(PRECISION);
    Optional<List<Bits>> ladder = wishes.text(LADDER).map(text -> ladder(wishes, text));
    boolean cascade = choice.isPresent() && isCascade(wishes, choice.get());

    List<String> alone = new ArrayList<>();
    bits.ifPresent(_ -> alone.add(BITS));
    ladder.ifPresent(_ -> alone.add(LADDER));
    if (cascade) {
      alone.add(PRECISION);
    }
    List<String> others = new ArrayList<>();
    least.ifPresent(_ -> others.add(MIN_BITS));
    most.ifPresent(_ -> others.add(MAX_BITS));
    budget.ifPresent(_ -> others.add(BUDGET));
    if (choice.isPresent() && !cascade) {
      others.add(PRECISION);
    }
    if (alone.size() > 1) {
      throw contradiction(wishes, alone.get(0), alone.get(1));
    }
    if (!alone.isEmpty() && !others.isEmpty()) {
      throw contradiction(wishes, alone.getFirst(), others.getFirst());
    }
    if (bits.isPresent()) {
      return Optional.of(new Precision.Exactly(bits.get()));
    }
    if (ladder.isPresent()) {
      return Optional.of(new Precision.Ladder(ladder.get()));
    }
    if (cascade) {
      return Optional.of(new Precision.Cascade());
    }
    if (others.isEmpty()) {
      return Optional.empty();
    }
    BitRange range = range(wishes, least, most);
    if (budget.isPresent()) {
      return Optional.of(new Precision.Within(micros(budget.getAsLong()), range));
    }
    return Optional.of(
        choice.isPresent() ? new Precision.Auto(range) : new Precision.Between(range));
  }

  /// @param deadlineNanos as the transport tells it
  /// @throws InferenceException naming the field
  public static Urgency urgency(List<Wishes> sources, OptionalLong deadlineNanos) {
    Optional<Priority> priority = Optional.empty();
    Optional<Duration> timeout = Optional.empty();
    for (Wishes wishes : sources) {
      OptionalLong level = wishes.integer(PRIORITY, 0, 3);
      OptionalLong micros = wishes.integer(TIMEOUT, 0, MOST_MICROS);
      if (priority.isEmpty() && level.isPresent()) {
        priority = Optional.of(priority((int) level.getAsLong()));
      }
      // As in the protocol, zero is no timeout.
      if (timeout.isEmpty() && micros.isPresent() && micros.getAsLong() > 0) {
        timeout = Optional.of(micros(micros.getAsLong()));
      }
    }
    return new Urgency(priority.orElse(Priority.NORMAL), deadlineNanos, timeout);
  }

  /// 1 is the highest, as in the protocol's schedule policy, and 0 the default.
  private static Priority priority(int level) {
    return switch (level) {
      case 1 -> Priority.HIGH;
      case 3 -> Priority.LOW;
      default -> Priority.NORMAL;
    };
  }

  /// @throws InferenceException if there is nothing between the two
  public static BitRange range(Wishes wishes, Optional<Bits> least, Optional<Bits> most) {
    Bits from = least.orElse(BitRange.ALL.least());
    Bits to = most.orElse(BitRange.ALL.most());
    if (from.compareTo(to) > 0) {
      throw InferenceException.invalid(
          "%s and %s: got %s and %s, expected the first to be at most the second"
              .formatted(wishes.field(MIN_BITS), wishes.field(MAX_BITS), from, to));
    }
    return new BitRange(from, to);
  }

  private static boolean isCascade(Wishes wishes, String choice) {
    return switch (choice) {
      case "cascade" -> true;
      case "auto" -> false;
      default ->
          throw InferenceException.invalid(
              "%s: got '%s', expected 'auto' or 'cascade'"
                  .formatted(wishes.field(PRECISION), TensorReader.excerpt(choice)));
    };
  }

  private static List<Bits> ladder(Wishes wishes, String text) {
    if (!text.matches("[1-8](,[1-8]){0,7}")) {
      throw wrongLadder(wishes, text);
    }
    List<Bits> rungs = new ArrayList<>();
    for (String rung : text.split(",", -1)) {
      Bits bits = new Bits(Integer.parseInt(rung));
      if (!rungs.isEmpty() && rungs.getLast().compareTo(bits) >= 0) {
        throw wrongLadder(wishes, text);
      }
      rungs.add(bits);
    }
    return rungs;
  }

  private static InferenceException wrongLadder(Wishes wishes, String text) {
    return InferenceException.invalid(
        "%s: got '%s', expected ascending widths such as '2,4,8'"
            .formatted(wishes.field(LADDER), TensorReader.excerpt(text)));
  }

  private static InferenceException contradiction(Wishes wishes, String one, String other) {
    return InferenceException.invalid(
        "%s and %s: got both, expected one of them"
            .formatted(wishes.field(one), wishes.field(other)));
  }

  private static Duration micros(long micros) {
    return Duration.ofNanos(micros * 1000);
  }
}
