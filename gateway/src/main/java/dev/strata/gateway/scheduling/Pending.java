package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntToLongFunction;

/// A job that waits for a worker.
///
/// @param number in order of arrival
/// @param enqueuedNanos [System#nanoTime] at acceptance
/// @param dueNanos the queue's order
record Pending(
    Job job,
    long number,
    long enqueuedNanos,
    long dueNanos,
    CompletableFuture<Completion> promise) {

  /// Earliest due first, then in order of arrival.
  static final Comparator<Pending> ORDER =
      (a, b) -> {
        int due = Long.signum(a.dueNanos - b.dueNanos);
        return due != 0 ? due : Long.compare(a.number, b.number);
      };

  static Pending of(Job job, long number, long now, CompletableFuture<Completion> promise) {
    return new Pending(job, number, now, job.urgency().dueNanos(now), promise);
  }

  /// Why it makes no sense to compute it now.
  Optional<InferenceException> obsolete(long now) {
    if (job.cancellation().cancelled()) {
      return Optional.of(new InferenceException(ErrorCode.CANCELLED, "the caller has gone"));
    }
    if (job.urgency().remainingNanos(now) <= 0) {
      return Optional.of(
          new InferenceException(
              ErrorCode.DEADLINE_EXCEEDED, "deadline: passed before there was an answer"));
    }
    return Optional.empty();
  }

  /// Why nobody would get anything from its start now: alone it takes longer than there is.
  ///
  /// @param nanos predicted compute time of so many rows
  Optional<InferenceException> tooLate(long now, IntToLongFunction nanos) {
    long remaining = job.urgency().remainingNanos(now);
    long alone = nanos.applyAsLong(job.work().rows());
    if (alone <= remaining) {
      return Optional.empty();
    }
    return Optional.of(
        new InferenceException(
            ErrorCode.DEADLINE_EXCEEDED,
            "deadline: got %d us left after waiting, expected at least %d us of computation"
                .formatted(remaining / 1000, alone / 1000)));
  }

  /// Why it must not even start now.
  Optional<InferenceException> overdue(long now) {
    Optional<Duration> timeout = job.urgency().queueTimeout();
    if (timeout.isPresent() && now - enqueuedNanos > timeout.get().toNanos()) {
      return Optional.of(
          InferenceException.busy(
              ErrorCode.QUEUE_TIMEOUT,
              "timeout: waited %d us, expected at most %d us"
                  .formatted((now - enqueuedNanos) / 1000, timeout.get().toNanos() / 1000),
              timeout.get()));
    }
    return obsolete(now);
  }
}
