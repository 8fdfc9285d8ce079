package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.BatchingSettings;
import dev.strata.gateway.call.InferenceException;
import dev.strata.precision.Bits;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.IntToLongFunction;

/// What waits of one model, width and length class: earliest due first. Not for concurrent use.
final class BatchQueue {

  private final BatchingSettings settings;
  private final TreeSet<Pending> waiting = new TreeSet<>(Pending.ORDER);

  BatchQueue(BatchingSettings settings) {
    this.settings = settings;
  }

  void add(Pending pending) {
    waiting.add(pending);
  }

  boolean remove(Pending pending) {
    return waiting.remove(pending);
  }

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  int size() {
    return waiting.size();
  }

  /// When the first is due; the queue is not empty.
  long dueNanos() {
    return waiting.first().dueNanos();
  }

  /// Rows that go before something due then.
  long rowsDueBy(long dueNanos) {
    long rows = 0;
    for (Pending pending : waiting) {
      if (pending.dueNanos() - dueNanos > 0) {
        break;
      }
      rows += pending.job().work().rows();
    }
    return rows;
  }

  long rows() {
    return waiting.stream().mapToLong(pending -> pending.job().work().rows()).sum();
  }

  /// How long it is worth waiting for more, 0 if there is enough or it has waited enough.
  long delayNanos(long now) {
    long delay = settings.maxDelay().toNanos();
    if (delay == 0 || rows() >= enough()) {
      return 0;
    }
    long oldest = waiting.stream().mapToLong(Pending::enqueuedNanos).min().orElseThrow();
    return Math.max(0, oldest + delay - now);
  }

  private int enough() {
    return settings.preferredRows().isEmpty()
        ? settings.maxRows()
        : settings.preferredRows().getFirst();
  }

  /// Takes the next batch: as many rows as fit, or the largest preferred number of them, but no
  /// more than can be computed before the first deadline among them.
  ///
  /// @param nanos predicted compute time of so many rows
  /// @param refused gets whatever must not start any more
  List<Pending> take(long now, IntToLongFunction nanos, List<Refusal> refused) {
    List<Pending> batch = new ArrayList<>();
    long rows = 0;
    long remaining = Long.MAX_VALUE;
    while (!waiting.isEmpty()) {
      Pending next = waiting.first();
      Optional<InferenceException> reason = next.overdue(now).or(() -> next.tooLate(now, nanos));
      if (reason.isPresent()) {
        refused.add(new Refusal(next, reason.get()));
        waiting.remove(next);
        continue;
      }
      long grown = rows + next.job().work().rows();
      long urgent = Math.min(remaining, next.job().urgency().remainingNanos(now));
      if (!batch.isEmpty()
          && (grown > settings.maxRows() || nanos.applyAsLong((int) grown) > urgent)) {
        break;
      }
      rows = grown;
      remaining = urgent;
      batch.add(next);
      waiting.remove(next);
    }
    putBackBeyondPreferred(batch, rows);
    return batch;
  }

  /// Those that may be computed at a wider width, in their order, as far as they fit.
  ///
  /// @param room rows
  /// @param remainingNanos they have at least so long to their deadlines
  List<Pending> joining(Bits wider, long room, long remainingNanos, long now) {
    List<Pending> joining = new ArrayList<>();
    long left = room;
    for (Pending pending : waiting) {
      int rows = pending.job().work().rows();
      if (rows <= left
          && pending.job().ceiling().compareTo(wider) >= 0
          && pending.overdue(now).isEmpty()
          && pending.job().urgency().remainingNanos(now) >= remainingNanos) {
        joining.add(pending);
        left -= rows;
      }
    }
    return joining;
  }

  /// Whether a batch may take in what it was not chosen for: preferred sizes are exact.
  boolean grows() {
    return settings.preferredRows().isEmpty();
  }

  Pending first() {
    return waiting.first();
  }

  private void putBackBeyondPreferred(List<Pending> batch, long rows) {
    int preferred = 0;
    for (int size : settings.preferredRows()) {
      preferred = size <= rows ? size : preferred;
    }
    long left = rows;
    while (preferred > 0
        && batch.size() > 1
        && left - batch.getLast().job().work().rows() >= preferred) {
      Pending last = batch.removeLast();
      left -= last.job().work().rows();
      waiting.add(last);
    }
  }
}
