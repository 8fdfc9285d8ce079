package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ServedModel;
import dev.strata.gateway.call.Workload;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/// One platform thread that computes, with one session per model it has met. It lets go of a
/// retired model's session as soon as it has nothing at hand. While it rests, the scheduler may let
/// another thread have its turn: one thread at a time.
final class Worker implements Runnable {

  private static final Logger LOG = Logger.getLogger(Worker.class);
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private final int number;
  private final Scheduler scheduler;
  private final Map<ServedModel, ServedModel.Session> sessions = new HashMap<>();

  /// What the sessions have computed.
  private final Set<Computed> computed = new HashSet<>();

  private record Computed(ServedModel model, Bits bits, Workload work) {}

  Worker(int number, Scheduler scheduler) {
    this.number = number;
    this.scheduler = scheduler;
  }

  int number() {
    return number;
  }

  /// Whether it has computed the like before.
  boolean isPreparedFor(Job job) {
    return computed.contains(new Computed(job.model(), job.bits(), job.work()));
  }

  @Override
  public void run() {
    try {
      while (!scheduler.finished()) {
        Optional<Batch> batch = scheduler.next(this);
        batch.ifPresentOrElse(this::answer, () -> scheduler.spare().ifPresent(this::compute));
        dropRetired();
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } finally {
      sessions.values().forEach(ServedModel.Session::close);
    }
  }

  /// To be called by whoever has this worker's turn.
  void answer(Batch batch) {
    long start = System.nanoTime();
    long processorStart = processorNanos();
    boolean finished = compute(batch, start);
    Took took = new Took(System.nanoTime() - start, processorNanos() - processorStart);
    scheduler.done(number, batch, took, finished);
  }

  /// @return whether the batch as it is was computed to its end
  private boolean compute(Batch batch, long start) {
    List<ServedModel.Outcome> outcomes;
    try {
      ServedModel.Session session =
          sessions.computeIfAbsent(batch.model(), ServedModel::newSession);
      outcomes =
          session.run(
              batch.bits(),
              batch.members().stream().map(member -> member.job().inputs()).toList(),
              () -> batch.obsolete(System.nanoTime()));
    } catch (Throwable defect) {
      fail(batch, defect);
      return false;
    }
    long end = System.nanoTime();
    computed.add(new Computed(batch.model(), batch.bits(), batch.work()));
    for (int i = 0; i < outcomes.size(); i++) {
      tell(batch.members().get(i), batch.bits(), outcomes.get(i), start, end);
    }
    return outcomes.stream().noneMatch(outcome -> outcome instanceof ServedModel.Outcome.Abandoned);
  }

  private void compute(Spare spare) {
    Optional<Map<String, Tensor>> outputs = Optional.empty();
    try {
      Optional<Runnable> held = spare.hold().get();
      if (held.isPresent()) {
        try {
          outputs = outputs(spare);
        } finally {
          held.get().run();
        }
      }
    } finally {
      scheduler.spareDone();
      spare.end().accept(outputs);
    }
  }

  private Optional<Map<String, Tensor>> outputs(Spare spare) {
    try {
      ServedModel.Session session =
          sessions.computeIfAbsent(spare.model(), ServedModel::newSession);
      List<ServedModel.Outcome> outcomes =
          session.run(spare.bits(), List.of(spare.inputs()), () -> scheduler.depth() > 0);
      return outcomes.getFirst() instanceof ServedModel.Outcome.Answered(var outputs, _)
          ? Optional.of(outputs)
          : Optional.empty();
    } catch (RuntimeException | Error defect) {
      LOG.warn("a computation on the side failed", defect);
      closeSession(spare.model());
      return Optional.empty();
    }
  }

  private void closeSession(ServedModel model) {
    computed.removeIf(known -> known.model().equals(model));
    ServedModel.Session broken = sessions.remove(model);
    if (broken != null) {
      broken.close();
    }
  }

  /// Nobody knows what state the session is in; what comes next gets a new one. Who was computed
  /// together with others may be innocent, and gets a second chance alone.
  private void fail(Batch batch, Throwable defect) {
    closeSession(batch.model());
    if (batch.members().size() == 1) {
      batch.members().getFirst().promise().completeExceptionally(defect);
      return;
    }
    for (Pending member : batch.members()) {
      compute(new Batch(batch.bits(), List.of(member), 0), System.nanoTime());
    }
  }

  private static void tell(
      Pending member, Bits bits, ServedModel.Outcome outcome, long start, long end) {
    switch (outcome) {
      case ServedModel.Outcome.Answered(var outputs, var margin) ->
          member
              .promise()
              .complete(
                  new Completion(
                      bits,
                      outputs,
                      margin,
                      micros(start - member.enqueuedNanos()),
                      micros(end - start)));
      case ServedModel.Outcome.Refused(InferenceException reason) ->
          member.promise().completeExceptionally(reason);
      case ServedModel.Outcome.Abandoned() ->
          member
              .promise()
              .completeExceptionally(
                  member
                      .obsolete(end)
                      .orElseGet(() -> new InferenceException(ErrorCode.CANCELLED, "abandoned")));
    }
  }

  private void dropRetired() {
    computed.removeIf(known -> known.model().retired());
    sessions
        .entrySet()
        .removeIf(
            entry -> {
              boolean retired = entry.getKey().retired();
              if (retired) {
                entry.getValue().close();
              }
              return retired;
            });
  }

  /// What this thread has had so far. A virtual one has no processor time of its own.
  private static long processorNanos() {
    return Thread.currentThread().isVirtual()
        ? System.nanoTime()
        : THREADS.getCurrentThreadCpuTime();
  }

  private static long micros(long nanos) {
    return TimeUnit.NANOSECONDS.toMicros(nanos);
  }
}
