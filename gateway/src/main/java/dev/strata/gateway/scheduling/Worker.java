package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ServedModel;
import dev.strata.graph.Tensor;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// One platform thread that computes, with one session per model it has met. It lets go of a
/// retired model's session as soon as it has nothing at hand.
final class Worker implements Runnable {

  private static final long IDLE_MILLIS = 200;

  private final BlockingQueue<PendingRequest> queue;
  private final BooleanSupplier closed;
  private final Map<ServedModel, ServedModel.Session> sessions = new HashMap<>();

  Worker(BlockingQueue<PendingRequest> queue, BooleanSupplier closed) {
    this.queue = queue;
    this.closed = closed;
  }

  @Override
  public void run() {
    try {
      while (true) {
        boolean last = closed.getAsBoolean();
        PendingRequest request = queue.poll(IDLE_MILLIS, TimeUnit.MILLISECONDS);
        if (request != null) {
          answer(request);
        } else if (last) {
          return;
        }
        dropRetired();
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } finally {
      sessions.values().forEach(ServedModel.Session::close);
    }
  }

  private void answer(PendingRequest request) {
    long start = System.nanoTime();
    Completion completion;
    try {
      ServedModel.Session session =
          sessions.computeIfAbsent(request.model(), ServedModel::newSession);
      Map<String, Tensor> outputs = session.run(request.bits(), request.inputs());
      completion =
          new Completion(
              outputs, micros(start - request.enqueuedNanos()), micros(System.nanoTime() - start));
    } catch (InferenceException refused) {
      request.promise().completeExceptionally(refused);
      return;
    } catch (Throwable defect) {
      // Nobody knows what state the session is in; the next request gets a new one.
      ServedModel.Session broken = sessions.remove(request.model());
      if (broken != null) {
        broken.close();
      }
      request.promise().completeExceptionally(defect);
      return;
    }
    request.promise().complete(completion);
  }

  private void dropRetired() {
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

  private static long micros(long nanos) {
    return TimeUnit.NANOSECONDS.toMicros(nanos);
  }
}
