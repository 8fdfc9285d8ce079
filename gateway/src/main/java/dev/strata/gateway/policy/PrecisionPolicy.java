package dev.strata.gateway.policy;

import dev.strata.gateway.call.BitRange;
import dev.strata.gateway.call.BitsReason;
import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.Forecast;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ModelPolicy;
import dev.strata.gateway.call.Precision;
import dev.strata.gateway.call.Priority;
import dev.strata.gateway.call.Urgency;
import dev.strata.precision.Bits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/// From wish, widths, forecast and brown-out to the width served, or to a refusal. Pure.
///
/// An exact wish is served exactly or refused. Any other goes down the widths, widest first:
/// past as many as the brown-out demands of those that make a full batch cheaper, then past
/// those that do not meet budget and deadline, as long as that saves time: the request's own
/// where nothing waits, and else that of a full batch, for a request that leaves its batch to be
/// quicker alone makes all others slower. Only what even that cannot save is refused.
///
/// @param available the model's widths, ascending
/// @param owner what its owner decided
public record PrecisionPolicy(List<Bits> available, ModelPolicy owner) {

  /// A narrower width that saves less time than this share is not worth its loss.
  private static final double WORTHWHILE = 0.9;

  /// Part of a predicted wait by which it may be wrong. A width that is only just in time by the
  /// forecast would be late every other time.
  private static final int MARGIN = 8;

  /// Nor is any brown-out where even the narrowest width saves less.
  private static final double WORTHWHILE_AT_ALL = 0.85;

  public PrecisionPolicy {
    available = List.copyOf(available);
  }

  /// The widths that the choice is among, ascending; the forecast must tell of them.
  ///
  /// @throws InferenceException if the model does not have what was asked
  public List<Bits> candidates(Precision wanted) {
    return switch (wanted) {
      case Precision.Exactly(Bits bits) when available.contains(bits) -> List.of(bits);
      case Precision.Exactly(Bits bits) ->
          throw unavailable("%s, expected one of %s".formatted(bits, available));
      case Precision.ModelDefault()
          when owner.precision() instanceof Precision.Exactly(Bits bits) ->
          List.of(bits);
      case Precision.ModelDefault() -> candidates(owner.precision());
      case Precision.Between(BitRange range) -> within(range);
      case Precision.Within(_, BitRange range) -> within(range);
      case Precision.Auto(BitRange range) -> within(range);
      case Precision.Cascade(), Precision.Ladder(_) ->
          throw new IllegalArgumentException(wanted.text() + " is more than one choice");
    };
  }

  private List<Bits> within(BitRange range) {
    List<Bits> allowed =
        available.stream()
            .filter(bits -> range.contains(bits) && owner.range().contains(bits))
            .toList();
    if (allowed.isEmpty()) {
      throw unavailable(
          "%s, expected a range with one of %s within %s"
              .formatted(range, available, owner.range()));
    }
    return allowed;
  }

  /// @throws InferenceException if the model does not have what was asked, or there is no time
  public Choice choose(
      Precision wanted, Urgency urgency, Forecast forecast, BrownOut brownOut, long now) {
    return switch (wanted) {
      case Precision.Exactly(Bits _) ->
          admit(
              new Choice(candidates(wanted).getFirst(), BitsReason.REQUESTED),
              urgency,
              forecast,
              now);
      case Precision.ModelDefault()
          when owner.precision() instanceof Precision.Exactly(Bits bits) ->
          admit(new Choice(bits, BitsReason.DEFAULT), urgency, forecast, now);
      case Precision.ModelDefault() -> choose(owner.precision(), urgency, forecast, brownOut, now);
      case Precision.Between(BitRange range) ->
          flexible(range, Long.MAX_VALUE, urgency, forecast, brownOut, now);
      case Precision.Within(Duration budget, BitRange range) ->
          flexible(range, budget.toNanos(), urgency, forecast, brownOut, now);
      case Precision.Auto(BitRange range) ->
          flexible(range, urgency.remainingNanos(now), urgency, forecast, brownOut, now);
      case Precision.Cascade(), Precision.Ladder(_) ->
          throw new IllegalArgumentException(wanted.text() + " is more than one choice");
    };
  }

  private Choice flexible(
      BitRange range,
      long budgetNanos,
      Urgency urgency,
      Forecast forecast,
      BrownOut brownOut,
      long now) {
    List<Bits> allowed = within(range);
    List<Bits> cheaper = cheaper(allowed, forecast);
    Bits ceiling = ceiling(allowed, cheaper, urgency.priority(), forecast, brownOut);
    BitsReason first = ceiling.equals(allowed.getLast()) ? BitsReason.WIDEST : BitsReason.BROWN_OUT;
    List<Bits> left = allowed.stream().filter(bits -> bits.compareTo(ceiling) <= 0).toList();
    List<Bits> quicker =
        forecast.waitNanos() == 0
            ? worthwhile(left, bits -> forecast.at(bits).computeNanos())
            : from(ceiling, cheaper);
    long remaining = urgency.remainingNanos(now);
    long limit = Math.min(budgetNanos, remaining - forecast.waitNanos() / MARGIN);
    Bits chosen =
        quicker.stream()
            .filter(bits -> forecast.answerNanos(bits) <= limit)
            .findFirst()
            .orElse(budgetNanos < remaining ? allowed.getFirst() : quicker.getLast());
    BitsReason reason = chosen.equals(ceiling) ? first : late(budgetNanos, remaining);
    return admit(
        new Choice(chosen, reason, unhindered(allowed, limit, forecast)), urgency, forecast, now);
  }

  /// The widths that serve more requests when there is much to do, widest first: none but the
  /// widest where all bits together save too little to be told from noise.
  private static List<Bits> cheaper(List<Bits> allowed, Forecast forecast) {
    ToLongFunction<Bits> full = bits -> forecast.at(bits).fullNanos();
    double most = full.applyAsLong(allowed.getLast());
    return full.applyAsLong(allowed.getFirst()) <= WORTHWHILE_AT_ALL * most
        ? worthwhile(allowed, full)
        : List.of(allowed.getLast());
  }

  /// The widest that the brown-out leaves: past the widths that it demands, and from there back to
  /// a wider one with a batch under way that takes the request in for no more time.
  private static Bits ceiling(
      List<Bits> allowed,
      List<Bits> cheaper,
      Priority priority,
      Forecast forecast,
      BrownOut brownOut) {
    Bits demanded = cheaper.get(Math.min(brownOut.steps(priority), cheaper.size() - 1));
    long added = forecast.at(demanded).addedNanos();
    return allowed.reversed().stream()
        .filter(bits -> bits.equals(demanded) || forecast.at(bits).addedNanos() <= added)
        .findFirst()
        .orElseThrow();
  }

  /// One width, and those of the cheaper ones that are narrower.
  private static List<Bits> from(Bits widest, List<Bits> cheaper) {
    return Stream.concat(
            Stream.of(widest), cheaper.stream().filter(bits -> bits.compareTo(widest) < 0))
        .toList();
  }

  /// What the same request would get if nothing else were to do.
  private static Bits unhindered(List<Bits> allowed, long limitNanos, Forecast forecast) {
    return worthwhile(allowed, bits -> forecast.at(bits).computeNanos()).stream()
        .filter(bits -> forecast.at(bits).computeNanos() <= limitNanos)
        .findFirst()
        .orElse(allowed.getFirst());
  }

  /// The widest, and from there each that takes less time by enough to be worth its loss.
  static List<Bits> worthwhile(List<Bits> allowed, ToLongFunction<Bits> nanos) {
    List<Bits> worthwhile = new ArrayList<>();
    for (Bits bits : allowed.reversed()) {
      if (worthwhile.isEmpty()
          || nanos.applyAsLong(bits) <= WORTHWHILE * nanos.applyAsLong(worthwhile.getLast())) {
        worthwhile.add(bits);
      }
    }
    return worthwhile;
  }

  private static BitsReason late(long budgetNanos, long remainingNanos) {
    return budgetNanos < remainingNanos ? BitsReason.BUDGET : BitsReason.DEADLINE;
  }

  /// Refuses at once what would only be late.
  private Choice admit(Choice choice, Urgency urgency, Forecast forecast, long now) {
    long wait = forecast.waitNanos();
    long compute = forecast.at(choice.bits()).computeNanos();
    long remaining = urgency.remainingNanos(now);
    if (remaining <= 0 || compute > remaining) {
      throw new InferenceException(
          ErrorCode.DEADLINE_EXCEEDED,
          "deadline: got %d us left, expected at least %d us of computation at %s bits"
              .formatted(micros(Math.max(0, remaining)), micros(compute), choice.bits()));
    }
    if (wait > remaining - compute) {
      throw InferenceException.busy(
          ErrorCode.OVERLOADED,
          "deadline: got %d us left, expected at least %d us of waiting and %d us of computation"
              .formatted(micros(remaining), micros(wait), micros(compute)),
          Duration.ofNanos(wait + compute - remaining));
    }
    long limit = limit(urgency.priority());
    if (wait > limit) {
      throw InferenceException.busy(
          ErrorCode.OVERLOADED,
          "queue: got %d us of work waiting, expected at most %d us for priority %s"
              .formatted(micros(wait), micros(limit), urgency.priority()),
          Duration.ofNanos(wait - limit));
    }
    if (urgency.queueTimeout().isPresent() && wait > urgency.queueTimeout().get().toNanos()) {
      throw InferenceException.busy(
          ErrorCode.QUEUE_TIMEOUT,
          "timeout: got %d us, expected at least %d us of waiting"
              .formatted(micros(urgency.queueTimeout().get().toNanos()), micros(wait)),
          Duration.ofNanos(wait - urgency.queueTimeout().get().toNanos()));
    }
    return choice;
  }

  private long limit(Priority priority) {
    long limit = owner.queue().limit().toNanos();
    return switch (priority) {
      case HIGH -> limit;
      case NORMAL -> limit / 10 * 9;
      case LOW -> limit / 10 * 8;
    };
  }

  private static InferenceException unavailable(String gotAndExpected) {
    return new InferenceException(ErrorCode.PRECISION_UNAVAILABLE, "bits: got " + gotAndExpected);
  }

  private static long micros(long nanos) {
    return TimeUnit.NANOSECONDS.toMicros(nanos);
  }
}
