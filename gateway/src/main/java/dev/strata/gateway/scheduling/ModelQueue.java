package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.BatchingSettings;
import dev.strata.gateway.call.ServedModel;
import dev.strata.gateway.call.Workload;
import dev.strata.precision.Bits;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.ToLongFunction;

/// What waits of one model, what its computations take, and how much it has had. Not for
/// concurrent use.
final class ModelQueue {

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

  /// Predicted compute time of the batch that a new request would join.
  long computeNanos(Bits bits, Workload work, long now) {
    BatchQueue queue = queues.get(new Key(bits, work.lengthClass()));
    long waiting = queue == null ? 0 : queue.rows();
    int joined = (int) Math.max(work.rows(), Math.min(waiting + work.rows(), batching().maxRows()));
    return predict(bits, joined, work.lengthClass(), now);
  }

  /// Predicted compute time of as many rows as are computed at once.
  long batchNanos(Bits bits, Workload work, long now) {
    return predict(bits, Math.max(work.rows(), batching().maxRows()), work.lengthClass(), now);
  }

  /// When the queue to serve next is due: of those that need not wait for more, the earliest.
  OptionalLong readyDueNanos(long now) {
    return ready(now).stream().mapToLong(ready -> ready.getValue().dueNanos()).findFirst();
  }

  /// Takes a batch from that queue.
  ///
  /// @param refused gets whatever must not start any more
  List<Pending> take(long now, List<Refusal> refused) {
    Optional<Map.Entry<Key, BatchQueue>> ready = ready(now);
    if (ready.isEmpty()) {
      return List.of();
    }
    Key key = ready.get().getKey();
    BatchQueue queue = ready.get().getValue();
    List<Pending> batch =
        queue.take(now, rows -> predict(key.bits(), rows, key.lengthClass(), now), refused);
    if (queue.isEmpty()) {
      queues.remove(key);
    }
    return batch;
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

  private long predict(Bits bits, int rows, int lengthClass, long now) {
    return times.predict(bits, new Workload(rows, lengthClass), now);
  }

  private static Key key(Job job) {
    return new Key(job.bits(), job.work().lengthClass());
  }
}
