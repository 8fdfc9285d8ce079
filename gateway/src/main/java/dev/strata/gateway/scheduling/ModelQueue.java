package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.BatchingSettings;
import dev.strata.gateway.call.Forecast;
import dev.strata.gateway.call.ServedModel;
import dev.strata.gateway.call.Workload;
import dev.strata.precision.Bits;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.ToLongFunction;

/// What waits of one model, what its computations take, and how much it has had. Not for
/// concurrent use.
final class ModelQueue {

  /// To join a batch must take less than this share of the time of one's own.
  private static final double WORTHWHILE = 0.9;

  private record Key(Bits bits, int lengthClass) {}

  private final ServedModel model;
  private final Map<Key, BatchQueue> queues = new HashMap<>();
  final ComputeTimes times = new ComputeTimes();

  /// Compute time this model has had, on the scale on which the models are kept level.
  long servedNanos;

  ModelQueue(ServedModel model) {
    this.model = model;
  }

  /// The owner may change it at any time; a queue that has begun keeps what it began with.
  private BatchingSettings batching() {
    return model.policy().batching();
  }

  void add(Pending pending) {
    queues.computeIfAbsent(key(pending.job()), _ -> new BatchQueue(batching())).add(pending);
  }

  boolean remove(Pending pending) {
    Key key = key(pending.job());
    BatchQueue queue = queues.get(key);
    boolean removed = queue != null && queue.remove(pending);
    if (removed && queue.isEmpty()) {
      queues.remove(key);
    }
    return removed;
  }

  boolean isEmpty() {
    return queues.isEmpty();
  }

  /// Predicted compute time of everything that goes before something due then.
  long workNanos(long dueNanos, long now) {
    return workNanos(queue -> queue.rowsDueBy(dueNanos), now);
  }

  /// Predicted compute time of everything.
  long workNanos(long now) {
    return workNanos(BatchQueue::rows, now);
  }

  private long workNanos(ToLongFunction<BatchQueue> counted, long now) {
    long work = 0;
    int most = batching().maxRows();
    for (Map.Entry<Key, BatchQueue> entry : queues.entrySet()) {
      long rows = counted.applyAsLong(entry.getValue());
      Bits bits = entry.getKey().bits();
      long full = rows / most;
      int rest = (int) (rows % most);
      if (full > 0) {
        work += full * predict(bits, most, entry.getKey().lengthClass(), now);
      }
      if (rest > 0) {
        work += predict(bits, rest, entry.getKey().lengthClass(), now);
      }
    }
    return work;
  }

  /// Predicted compute time of the batch that a new request would join, by the time that it starts.
  private long computeNanos(Bits bits, Workload work, long now) {
    BatchQueue queue = queues.get(new Key(bits, work.lengthClass()));
    long waiting = queue == null ? 0 : queue.rows();
    int joined = (int) Math.max(work.rows(), Math.min(waiting + work.rows(), batching().maxRows()));
    return predict(bits, joined, work.lengthClass(), now);
  }

  /// What a new request must expect at each width.
  ///
  /// @param widths ascending
  Map<Bits, Forecast.Expected> expected(List<Bits> widths, Workload work, long now) {
    Bits widest = widths.getLast();
    Map<Bits, Double> shares = times.shares(widths, now);
    int most = batching().maxRows();
    double full =
        times.typical(widest, new Workload(Math.max(work.rows(), most), work.lengthClass()));
    // Now and then it says that no width saves anything, so that the widest is tried again.
    boolean trial = widths.size() > 1 && times.wantsTrial(widest, now);
    Map<Bits, Forecast.Expected> expected = new HashMap<>();
    for (Bits bits : widths) {
      BatchQueue queue = queues.get(new Key(bits, work.lengthClass()));
      int forming = queue == null ? 0 : (int) (queue.rows() % most);
      int joined = forming + work.rows() <= most ? forming : 0;
      double added = addedNanos(widest, joined, work.rows(), work.lengthClass());
      double share = shares.get(bits);
      expected.put(
          bits,
          new Forecast.Expected(
              computeNanos(bits, work, now),
              (long) (share * added),
              (long) (trial ? full : share * full)));
    }
    return expected;
  }

  /// What it takes to compute more rows together with some.
  private double addedNanos(Bits bits, int rows, int more, int lengthClass) {
    double together = times.typical(bits, new Workload(rows + more, lengthClass));
    return rows == 0
        ? together
        : Math.max(0, together - times.typical(bits, new Workload(rows, lengthClass)));
  }

  /// When the queue to serve next is due: of those that need not wait for more, the earliest.
  OptionalLong readyDueNanos(long now) {
    return ready(now).stream().mapToLong(ready -> ready.getValue().dueNanos()).findFirst();
  }

  /// Takes a batch from that queue, or from a wider one that takes its first in, together with what
  /// waits at narrower widths and saves time by joining.
  ///
  /// @param refused gets whatever must not start any more
  /// @return empty if nothing may start
  Optional<Batch> take(long now, List<Refusal> refused) {
    Optional<Map.Entry<Key, BatchQueue>> ready = ready(now);
    if (ready.isEmpty()) {
      return Optional.empty();
    }
    Key key = widened(ready.get().getKey(), ready.get().getValue().first(), now);
    BatchQueue queue = queues.get(key);
    List<Pending> members = queue.take(now, rows -> predict(key, rows, now), refused);
    if (queue.grows() && !members.isEmpty()) {
      takeNarrower(key, members, now);
    }
    queues.values().removeIf(BatchQueue::isEmpty);
    return members.isEmpty()
        ? Optional.empty()
        : Optional.of(new Batch(key.bits(), members, predict(key, rows(members), now)));
  }

  /// The queue in whose batch the first of another is computed with the most time saved; its own if
  /// nowhere.
  private Key widened(Key own, Pending first, long now) {
    Key best = own;
    long most = 0;
    for (Map.Entry<Key, BatchQueue> entry : queues.entrySet()) {
      Key key = entry.getKey();
      long room = batching().maxRows() - entry.getValue().rows();
      if (!isBelow(own, key)
          || !entry.getValue().grows()
          || first.job().ceiling().compareTo(key.bits()) < 0
          || first.job().work().rows() > room) {
        continue;
      }
      int rows = (int) entry.getValue().rows();
      long full = predict(key, batching().maxRows(), now);
      if (first.job().urgency().remainingNanos(now) < full) {
        continue;
      }
      int joining = rows(queues.get(own).joining(key.bits(), room, full, now));
      long saved = savedNanos(key, rows, own, joining, now);
      if (joining > 0 && saved > most) {
        best = key;
        most = saved;
      }
    }
    return best;
  }

  /// Adds what waits at narrower widths, from the nearest down.
  private void takeNarrower(Key key, List<Pending> members, long now) {
    List<Key> narrower =
        queues.keySet().stream()
            .filter(other -> isBelow(other, key))
            .sorted(Comparator.comparing(Key::bits).reversed())
            .toList();
    for (Key other : narrower) {
      int rows = rows(members);
      int room = batching().maxRows() - rows;
      long full = predict(key, batching().maxRows(), now);
      List<Pending> joining = queues.get(other).joining(key.bits(), room, full, now);
      int more = rows(joining);
      boolean inTime =
          members.stream()
              .allMatch(
                  member ->
                      member.job().urgency().remainingNanos(now) >= predict(key, rows + more, now));
      if (more > 0 && inTime && savedNanos(key, rows, other, more, now) > 0) {
        members.addAll(joining);
        joining.forEach(queues.get(other)::remove);
      }
    }
  }

  /// What it saves to compute the rows of two queues together at the wider width: more than noise,
  /// or nothing.
  private long savedNanos(Key wider, int rows, Key narrower, int more, long now) {
    double share = times.shares(List.of(narrower.bits(), wider.bits()), now).get(narrower.bits());
    double alone = share * addedNanos(wider.bits(), 0, more, wider.lengthClass());
    double added = addedNanos(wider.bits(), rows, more, wider.lengthClass());
    return added <= WORTHWHILE * alone ? (long) (alone - added) : 0;
  }

  private static boolean isBelow(Key narrower, Key wider) {
    return narrower.lengthClass() == wider.lengthClass()
        && narrower.bits().compareTo(wider.bits()) < 0;
  }

  private static int rows(List<Pending> members) {
    return members.stream().mapToInt(member -> member.job().work().rows()).sum();
  }

  private Optional<Map.Entry<Key, BatchQueue>> ready(long now) {
    return queues.entrySet().stream()
        .filter(entry -> entry.getValue().delayNanos(now) == 0)
        .min((a, b) -> Long.signum(a.getValue().dueNanos() - b.getValue().dueNanos()));
  }

  int size() {
    return queues.values().stream().mapToInt(BatchQueue::size).sum();
  }

  /// Nanoseconds until a queue that waits for more stops waiting.
  long delayNanos(long now) {
    return queues.values().stream().mapToLong(queue -> queue.delayNanos(now)).min().orElseThrow();
  }

  private long predict(Key key, int rows, long now) {
    return predict(key.bits(), rows, key.lengthClass(), now);
  }

  private long predict(Bits bits, int rows, int lengthClass, long now) {
    return times.predict(bits, new Workload(rows, lengthClass), now);
  }

  private static Key key(Job job) {
    return new Key(job.bits(), job.work().lengthClass());
  }
}
