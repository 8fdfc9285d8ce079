package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.Forecast;
import dev.strata.gateway.call.ServedModel;
import dev.strata.gateway.call.Urgency;
import dev.strata.gateway.call.Workload;
import dev.strata.precision.Bits;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// All that waits and all that runs, as a function of the clock its callers bring: who is next, and
/// how long would a newcomer wait. Not for concurrent use.
///
/// Models are kept level by the compute time they have had: the turn goes to those within one
/// quantum of the least served, and among them to the queue whose first job is due earliest.
final class WorkQueues {

  /// How far a model with urgent work may get ahead of the others.
  static final long QUANTUM_NANOS = 20_000_000;

  private final Map<ServedModel, ModelQueue> models = new HashMap<>();

  /// For each worker, when it is thought to be free; absent if it is.
  private final Map<Integer, Long> busyUntil = new HashMap<>();

  private final int workers;
  private int depth;

  /// Service of the least served model when last one had its turn.
  private long levelNanos;

  WorkQueues(int workers) {
    this.workers = workers;
  }

  int depth() {
    return depth;
  }

  /// What a request that comes now must expect.
  ///
  /// @param widths those it may be served at, ascending
  Forecast forecast(
      ServedModel model, List<Bits> widths, Workload work, Urgency urgency, long now) {
    ModelQueue queue = queue(model);
    return new Forecast(
        waitNanos(queue, urgency.dueNanos(now), now), queue.expected(widths, work, now));
  }

  /// Whether a computation has been measured often enough, and of late, to be known to take no
  /// longer than this.
  boolean takesAtMost(long nanos, Job job, long now) {
    return queue(job.model()).times.takesAtMost(nanos, job.bits(), job.work(), now);
  }

  /// The work ahead, spread over the workers. Of its own model that is what is due no later; of
  /// each other model at most as much, since all get the same share.
  private long waitNanos(ModelQueue own, long dueNanos, long now) {
    long running = 0;
    for (long until : busyUntil.values()) {
      running += Math.max(0, until - now);
    }
    if (depth == 0 && busyUntil.size() < workers) {
      return 0;
    }
    long ownWork = own.workNanos(dueNanos, now);
    long work = ownWork;
    for (ModelQueue other : models.values()) {
      if (other != own && !other.isEmpty()) {
        work += Math.min(other.workNanos(dueNanos, now), ownWork + QUANTUM_NANOS);
      }
    }
    return (work + running) / workers;
  }

  /// Predicted time until all that waits and runs is done.
  long backlogNanos(long now) {
    long work = 0;
    for (long until : busyUntil.values()) {
      work += Math.max(0, until - now);
    }
    for (ModelQueue queue : models.values()) {
      if (!queue.isEmpty()) {
        work += queue.workNanos(now);
      }
    }
    return work / workers;
  }

  void add(Pending pending) {
    ModelQueue queue = queue(pending.job().model());
    if (queue.isEmpty()) {
      // Who had nothing to do has not saved up anything.
      queue.servedNanos = Math.max(queue.servedNanos, levelNanos);
    }
    queue.add(pending);
    depth++;
  }

  /// @return whether it was still waiting
  boolean remove(Pending pending) {
    ModelQueue queue = models.get(pending.job().model());
    boolean removed = queue != null && queue.remove(pending);
    if (removed) {
      depth--;
    }
    return removed;
  }

  /// The next batch for a worker that has nothing to do.
  ///
  /// @param refused gets whatever must not start any more
  /// @return empty if nothing can start now
  Optional<Batch> take(int worker, long now, List<Refusal> refused) {
    while (true) {
      Optional<ModelQueue> next = next(now);
      if (next.isEmpty()) {
        return Optional.empty();
      }
      int before = next.get().size();
      Optional<Batch> batch = next.get().take(now, refused);
      depth -= before - next.get().size();
      if (batch.isPresent()) {
        next.get().servedNanos += batch.get().predictedNanos();
        busyUntil.put(worker, now + batch.get().predictedNanos());
        return batch;
      }
    }
  }

  private Optional<ModelQueue> next(long now) {
    List<ModelQueue> ready =
        models.values().stream().filter(model -> model.readyDueNanos(now).isPresent()).toList();
    OptionalLong least = ready.stream().mapToLong(model -> model.servedNanos).min();
    if (least.isEmpty()) {
      return Optional.empty();
    }
    levelNanos = least.getAsLong();
    return ready.stream()
        .filter(model -> model.servedNanos - levelNanos <= QUANTUM_NANOS)
        .min(
            (a, b) ->
                Long.signum(a.readyDueNanos(now).getAsLong() - b.readyDueNanos(now).getAsLong()));
  }

  /// A worker is done with a batch.
  ///
  /// @param finished whether it was computed to its end
  void done(int worker, Batch batch, Took took, boolean finished, long now) {
    busyUntil.remove(worker);
    ModelQueue model = queue(batch.model());
    model.servedNanos += took.nanos() - batch.predictedNanos();
    if (finished) {
      model.times.record(batch.bits(), batch.work(), took, now);
    } else {
      model.times.recordUnfinished(batch.bits(), batch.work(), took.nanos(), now);
    }
  }

  /// Nanoseconds until something that waits for more stops waiting; empty if nothing waits.
  Optional<Long> delayNanos(long now) {
    return models.values().stream()
        .filter(model -> !model.isEmpty())
        .map(model -> model.delayNanos(now))
        .min(Long::compare);
  }

  /// Lets go of models that are no longer served.
  void dropRetired() {
    models.entrySet().removeIf(entry -> entry.getKey().retired() && entry.getValue().isEmpty());
  }

  private ModelQueue queue(ServedModel model) {
    return models.computeIfAbsent(model, ModelQueue::new);
  }
}
