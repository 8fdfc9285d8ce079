package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ServedModel;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;

/// One bounded queue in order of arrival and a fixed set of worker threads, which alone compute.
/// The width is chosen before a request comes here.
public final class Scheduler implements AutoCloseable {

  private final BlockingQueue<PendingRequest> queue;
  private final int capacity;
  private final List<Thread> workers = new ArrayList<>();
  private volatile boolean closed;

  /// @param workers number of threads; each computes one request at a time
  /// @param capacity most requests that wait
  public Scheduler(int workers, int capacity) {
    this.queue = new ArrayBlockingQueue<>(capacity);
    this.capacity = capacity;
    for (int i = 0; i < workers; i++) {
      this.workers.add(
          Thread.ofPlatform()
              .name("strata-worker-" + i)
              .daemon()
              .start(new Worker(queue, () -> closed)));
    }
  }

  /// Puts one computation into the queue. The caller holds a lease of the model until the returned
  /// future is done; dependents of the future run on the worker's thread.
  ///
  /// @throws InferenceException if the queue is full or the server is shutting down
  public CompletableFuture<Completion> submit(
      ServedModel model, Bits bits, Map<String, Tensor> inputs) {
    if (closed) {
      throw new InferenceException(ErrorCode.SHUTTING_DOWN, "the server is shutting down");
    }
    CompletableFuture<Completion> promise = new CompletableFuture<>();
    if (!queue.offer(new PendingRequest(model, bits, inputs, System.nanoTime(), promise))) {
      throw new InferenceException(
          ErrorCode.QUEUE_FULL, "queue: got %d waiting requests, full".formatted(capacity));
    }
    return promise;
  }

  /// Requests that wait now.
  public int depth() {
    return queue.size();
  }

  /// @return whether every worker thread runs
  public boolean alive() {
    return workers.stream().allMatch(Thread::isAlive);
  }

  public int capacity() {
    return capacity;
  }

  /// Takes nothing new, finishes what waits, and ends the workers.
  @Override
  public void close() {
    closed = true;
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
