package dev.strata.gateway.call;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/// How long a request may take, and who goes first.
///
/// @param deadlineNanos in terms of [System#nanoTime]: an answer after it is worth nothing
/// @param queueTimeout longest wait for the start of the computation
public record Urgency(
    Priority priority, OptionalLong deadlineNanos, Optional<Duration> queueTimeout) {

  /// Nothing stated.
  public static final Urgency NONE =
      new Urgency(Priority.NORMAL, OptionalLong.empty(), Optional.empty());

  public Urgency {
    Objects.requireNonNull(priority);
    Objects.requireNonNull(deadlineNanos);
    Objects.requireNonNull(queueTimeout);
  }

  /// @return nanoseconds until the deadline, negative after it; very many if there is none
  public long remainingNanos(long now) {
    return deadlineNanos.isPresent() ? deadlineNanos.getAsLong() - now : Long.MAX_VALUE;
  }

  /// When the request is due, for the order of the queue.
  public long dueNanos(long now) {
    long patient = now + priority.patience().toNanos();
    return deadlineNanos.isPresent() && deadlineNanos.getAsLong() - patient < 0
        ? deadlineNanos.getAsLong()
        : patient;
  }
}
