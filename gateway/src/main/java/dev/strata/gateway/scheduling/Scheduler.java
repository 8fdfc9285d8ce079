package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.Forecast;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ServedModel;
import dev.strata.gateway.call.Urgency;
import dev.strata.gateway.call.Workload;
import dev.strata.precision.Bits;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/// The queues, and a fixed set of workers, which alone compute. The width is chosen before a
/// request comes here; [#forecast] is what that choice goes by. Here it can only be given back what
/// load took from it, where a wider batch has room.
///
/// A worker's thread lends its turn while it rests: a computation that takes no longer than to hand
/// it over and back, and that finds nothing waiting, is done by the thread that brings it.
public final class Scheduler implements AutoCloseable {

  /// How often an idle worker looks for sessions of retired models.
  private static final long IDLE_NANOS = 200_000_000;

  /// About what it costs to wake a worker and the thread that sends the answer.
  static final long QUICK_NANOS = 50_000;

  /// More than these would only be older when their turn comes.
  private static final int MOST_SPARES = 8;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final WorkQueues queues;
  private final int capacity;
  private final List<Thread> workers = new ArrayList<>();

  /// Those that rest and whose turn anybody may have, the last one first.
  private final Deque<Worker> resting = new ArrayDeque<>();

  /// Those that have woken and wait for their turn to come back.
  private final Set<Worker> awaiting = new HashSet<>();

  private final Condition turnsGivenBack = lock.newCondition();
  private final Queue<Spare> spares = new ArrayDeque<>();
  private boolean spareRuns;
  private long arrivals;
  private boolean closed;

  /// @param workers number of threads; each computes one batch at a time
  /// @param capacity most requests that wait; a safety net, since the policy bounds their work
  public Scheduler(int workers, int capacity) {
    this.queues = new WorkQueues(workers);
    this.capacity = capacity;
    for (int i = 0; i < workers; i++) {
      this.workers.add(
          Thread.ofPlatform().name("strata-worker-" + i).daemon().start(new Worker(i, this)));
    }
  }

  /// What a request that comes now must expect.
  ///
  /// @param widths those it may be served at, ascending
  public Forecast forecast(
      ServedModel model, List<Bits> widths, Workload workload, Urgency urgency) {
    lock.lock();
    try {
      return queues.forecast(model, widths, workload, urgency, System.nanoTime());
    } finally {
      lock.unlock();
    }
  }

  /// Puts one computation into the queue, or does it at once. The caller holds a lease of the model
  /// until the returned future is done; dependents of the future run on the worker's thread, on the
  /// thread that cancels, or on the caller's.
  ///
  /// @throws InferenceException if the queue is full or the server is shutting down
  public CompletableFuture<Completion> submit(Job job) {
    CompletableFuture<Completion> promise = new CompletableFuture<>();
    Pending pending;
    Optional<Turn> turn;
    List<Refusal> refused = new ArrayList<>();
    lock.lock();
    try {
      if (closed) {
        throw new InferenceException(ErrorCode.SHUTTING_DOWN, "the server is shutting down");
      }
      long now = System.nanoTime();
      if (queues.depth() >= capacity) {
        throw InferenceException.busy(
            ErrorCode.OVERLOADED,
            "queue: got %d waiting requests, full".formatted(capacity),
            Duration.ofNanos(Math.max(1_000_000, queues.backlogNanos(now))));
      }
      pending = Pending.of(job, arrivals++, now, promise);
      queues.add(pending);
      turn = turn(job, now, refused);
      if (turn.isEmpty()) {
        work.signal();
      }
    } finally {
      lock.unlock();
    }
    refused.forEach(Refusal::tell);
    turn.ifPresentOrElse(this::compute, () -> job.cancellation().onCancel(() -> cancel(pending)));
    return promise;
  }

  private record Turn(Worker worker, Batch batch) {}

  /// The turn of a worker that has computed the like before, so that nothing has to be prepared.
  private Optional<Turn> turn(Job job, long now, List<Refusal> refused) {
    if (queues.depth() > 1 || !queues.takesAtMost(QUICK_NANOS, job, now)) {
      return Optional.empty();
    }
    Optional<Worker> ready =
        resting.stream().filter(worker -> worker.isPreparedFor(job)).findFirst();
    return ready.flatMap(
        worker -> {
          Optional<Batch> batch = queues.take(worker.number(), now, refused);
          batch.ifPresent(_ -> resting.remove(worker));
          return batch.map(taken -> new Turn(worker, taken));
        });
  }

  private void compute(Turn turn) {
    try {
      turn.worker().answer(turn.batch());
    } finally {
      giveBack(turn.worker());
    }
  }

  private void giveBack(Worker worker) {
    lock.lock();
    try {
      if (awaiting.remove(worker)) {
        turnsGivenBack.signalAll();
      } else {
        resting.push(worker);
        if (queues.depth() > 0) {
          work.signal();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /// For a worker that has woken: its turn is its own again, when whoever has it is done.
  private void reclaim(Worker worker) {
    if (resting.remove(worker)) {
      return;
    }
    // What woke this worker may be for any other.
    work.signal();
    awaiting.add(worker);
    while (awaiting.contains(worker)) {
      turnsGivenBack.awaitUninterruptibly();
    }
  }

  /// What a worker computes already, the worker ends, for until then it reads the inputs.
  private void cancel(Pending pending) {
    boolean waited;
    lock.lock();
    try {
      waited = queues.remove(pending);
    } finally {
      lock.unlock();
    }
    if (waited) {
      pending
          .promise()
          .completeExceptionally(
              new InferenceException(ErrorCode.CANCELLED, "the caller has gone"));
    }
  }

  /// Requests that wait now.
  public int depth() {
    lock.lock();
    try {
      return queues.depth();
    } finally {
      lock.unlock();
    }
  }

  /// Predicted time until all that waits and runs now is done, in nanoseconds.
  public long backlogNanos() {
    lock.lock();
    try {
      return queues.backlogNanos(System.nanoTime());
    } finally {
      lock.unlock();
    }
  }

  /// @return whether every worker thread runs
  public boolean alive() {
    return workers.stream().allMatch(Thread::isAlive);
  }

  public int capacity() {
    return capacity;
  }

  /// Waits a while for work.
  ///
  /// @return empty if there was none
  Optional<Batch> next(Worker worker) throws InterruptedException {
    List<Refusal> refused = new ArrayList<>();
    try {
      lock.lockInterruptibly();
      try {
        long patience = closed ? 0 : IDLE_NANOS;
        while (true) {
          Optional<Batch> batch = queues.take(worker.number(), System.nanoTime(), refused);
          if (batch.isPresent() || patience <= 0 || !refused.isEmpty() || spareIsNext()) {
            return batch;
          }
          long nap =
              queues
                  .delayNanos(System.nanoTime())
                  .map(delay -> Math.min(delay, IDLE_NANOS))
                  .orElse(patience);
          resting.push(worker);
          try {
            patience = Math.min(patience, patience - nap + Math.max(0, work.awaitNanos(nap)));
          } finally {
            reclaim(worker);
          }
        }
      } finally {
        lock.unlock();
      }
    } finally {
      refused.forEach(Refusal::tell);
    }
  }

  /// Lets an idle worker do something, one such thing at a time. It is given up between two steps
  /// as soon as a request waits.
  ///
  /// @param spare made only if there is room for it
  /// @return whether it will be tried
  public boolean whenIdle(Supplier<Spare> spare) {
    lock.lock();
    try {
      if (closed || spares.size() >= MOST_SPARES) {
        return false;
      }
      spares.add(spare.get());
      work.signal();
      return true;
    } finally {
      lock.unlock();
    }
  }

  private boolean spareIsNext() {
    return !spares.isEmpty() && !spareRuns && queues.depth() == 0;
  }

  /// Something to do for a worker for which nothing waits.
  Optional<Spare> spare() {
    lock.lock();
    try {
      if (!spareIsNext()) {
        return Optional.empty();
      }
      spareRuns = true;
      return Optional.of(spares.remove());
    } finally {
      lock.unlock();
    }
  }

  void spareDone() {
    lock.lock();
    try {
      spareRuns = false;
    } finally {
      lock.unlock();
    }
  }

  /// A worker is done with a batch.
  void done(int worker, Batch batch, Took took, boolean finished) {
    lock.lock();
    try {
      queues.done(worker, batch, took, finished, System.nanoTime());
      queues.dropRetired();
    } finally {
      lock.unlock();
    }
  }

  /// @return whether a worker that finds nothing to do may end
  boolean finished() {
    lock.lock();
    try {
      return closed && queues.depth() == 0;
    } finally {
      lock.unlock();
    }
  }

  /// Takes nothing new, finishes what waits, and ends the workers.
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      work.signalAll();
    } finally {
      lock.unlock();
    }
    for (Thread worker : workers) {
      try {
        worker.join();
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
