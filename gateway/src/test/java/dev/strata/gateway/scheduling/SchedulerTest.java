package dev.strata.gateway.scheduling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.gateway.call.BatchingSettings;
import dev.strata.gateway.call.Cancellation;
import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.Priority;
import dev.strata.gateway.call.Urgency;
import dev.strata.gateway.call.Workload;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class SchedulerTest {

  private static final Bits FOUR = new Bits(4);
  private static final Map<String, Tensor> INPUTS =
      Map.of("x", Tensor.of(Shape.of(1), new float[] {1}));

  @Test
  void everyRequestIsAnsweredWithWhatTheModelComputed() {
    FakeModel model = new FakeModel(inputs -> inputs);
    try (Scheduler scheduler = new Scheduler(2, 1000)) {
      List<CompletableFuture<Completion>> answers = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        answers.add(scheduler.submit(job(model, INPUTS)));
      }
      for (CompletableFuture<Completion> answer : answers) {
        assertSame(INPUTS, answer.join().outputs());
        assertTrue(answer.join().queueMicros() >= 0);
      }
    }
    assertTrue(model.opened.get() <= 2, "a session for each worker, not for each request");
    assertEquals(model.opened.get(), model.closed.get());
  }

  @Test
  void whatIsQuickIsComputedByWhoBringsIt() {
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    FakeModel model =
        new FakeModel(
            inputs -> {
              threads.add(Thread.currentThread());
              return inputs;
            });
    try (Scheduler scheduler = new Scheduler(2, 100)) {
      while (!threads.contains(Thread.currentThread())) {
        assertSame(INPUTS, scheduler.submit(job(model, INPUTS)).join().outputs());
      }
    }
    assertTrue(threads.size() > 1, "the first ones by a worker, since nothing is known of them");
  }

  @Test
  void whatTakesLongerIsNot() {
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    FakeModel model =
        new FakeModel(
            inputs -> {
              threads.add(Thread.currentThread());
              LockSupport.parkNanos(4 * Scheduler.QUICK_NANOS);
              return inputs;
            });
    try (Scheduler scheduler = new Scheduler(2, 100)) {
      for (int i = 0; i < 100; i++) {
        scheduler.submit(job(model, INPUTS)).join();
      }
    }
    assertFalse(threads.contains(Thread.currentThread()));
  }

  /// A session is never used by two threads, which [FakeModel] would tell.
  @Test
  void manyCallersShareTheWorkersTurns() throws InterruptedException {
    FakeModel model = new FakeModel(inputs -> inputs);
    List<Throwable> failures = new CopyOnWriteArrayList<>();
    try (Scheduler scheduler = new Scheduler(2, 100)) {
      List<Thread> callers = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        callers.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      try {
                        for (int call = 0; call < 3000; call++) {
                          assertSame(INPUTS, scheduler.submit(job(model, INPUTS)).join().outputs());
                        }
                      } catch (Throwable failure) {
                        failures.add(failure);
                      }
                    }));
      }
      for (Thread caller : callers) {
        caller.join();
      }
    }
    assertEquals(List.of(), failures);
    assertEquals(8 * 3000, model.batches.stream().mapToInt(List::size).sum());
    assertEquals(model.opened.get(), model.closed.get());
  }

  @Test
  void aFullQueueRefusesAtOnceAndKeepsWhatItHas() throws InterruptedException {
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    FakeModel slow =
        new FakeModel(
            inputs -> {
              running.countDown();
              await(go);
              return inputs;
            });
    try (Scheduler scheduler = new Scheduler(1, 2)) {
      List<CompletableFuture<Completion>> accepted = new ArrayList<>();
      accepted.add(scheduler.submit(job(slow, INPUTS)));
      running.await();
      accepted.add(scheduler.submit(job(slow, INPUTS)));
      accepted.add(scheduler.submit(job(slow, INPUTS)));
      assertEquals(2, scheduler.depth());
      InferenceException refused =
          assertThrows(InferenceException.class, () -> scheduler.submit(job(slow, INPUTS)));
      assertEquals(ErrorCode.OVERLOADED, refused.code());
      go.countDown();
      accepted.forEach(CompletableFuture::join);
    }
  }

  @Test
  void aDefectCostsOneRequestAndTheSession() {
    FakeModel model =
        new FakeModel(
            inputs -> {
              if (inputs.isEmpty()) {
                throw new AssertionError("boom");
              }
              return inputs;
            });
    try (Scheduler scheduler = new Scheduler(1, 10)) {
      scheduler.submit(job(model, INPUTS)).join();
      CompletionException failed =
          assertThrows(
              CompletionException.class, () -> scheduler.submit(job(model, Map.of())).join());
      assertEquals("boom", failed.getCause().getMessage());
      assertSame(INPUTS, scheduler.submit(job(model, INPUTS)).join().outputs());
      assertEquals(2, model.opened.get());
      assertEquals(1, model.closed.get());
      assertTrue(scheduler.alive());
    }
  }

  @Test
  void aRetiredModelsSessionIsClosedWithoutAnotherRequest() throws InterruptedException {
    FakeModel model = new FakeModel(inputs -> inputs);
    try (Scheduler scheduler = new Scheduler(1, 10)) {
      scheduler.submit(job(model, INPUTS)).join();
      model.retired = true;
      while (model.closed.get() == 0) {
        Thread.sleep(10);
      }
      assertEquals(1, model.closed.get());
    }
  }

  @Test
  void closingFinishesWhatWaitsAndRefusesWhatComes() {
    FakeModel model = new FakeModel(inputs -> inputs);
    Scheduler scheduler = new Scheduler(1, 100);
    List<CompletableFuture<Completion>> accepted = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      accepted.add(scheduler.submit(job(model, INPUTS)));
    }
    scheduler.close();
    accepted.forEach(CompletableFuture::join);
    InferenceException refused =
        assertThrows(InferenceException.class, () -> scheduler.submit(job(model, INPUTS)));
    assertEquals(ErrorCode.SHUTTING_DOWN, refused.code());
  }

  @Test
  void whatIsQueuedIsComputedTogether() throws InterruptedException {
    Gate gate = new Gate();
    FakeModel model = new FakeModel(gate::pass, batching(4, Duration.ZERO));
    try (Scheduler scheduler = new Scheduler(1, 100)) {
      List<CompletableFuture<Completion>> answers = new ArrayList<>();
      answers.add(scheduler.submit(job(model, INPUTS)));
      gate.reached();
      for (int i = 0; i < 6; i++) {
        answers.add(scheduler.submit(job(model, INPUTS)));
      }
      gate.open();
      answers.forEach(CompletableFuture::join);
      assertEquals(List.of(1, 4, 2), model.batches.stream().map(List::size).toList());
    }
  }

  /// Nothing is known of their times, so nothing speaks for joining; with times, the trace
  /// simulations show it. Here: who may not be widened never is.
  @Test
  void whoMustNotBeWidenedIsComputedAlone() throws InterruptedException {
    Gate gate = new Gate();
    FakeModel model = new FakeModel(gate::pass);
    try (Scheduler scheduler = new Scheduler(1, 100)) {
      var _ = scheduler.submit(job(model, INPUTS));
      gate.reached();
      CompletableFuture<Completion> exact = scheduler.submit(job(model, INPUTS));
      CompletableFuture<Completion> wide =
          scheduler.submit(
              new Job(
                  model,
                  new Bits(8),
                  new Bits(8),
                  Workload.of(INPUTS),
                  INPUTS,
                  Urgency.NONE,
                  new Cancellation()));
      gate.open();
      assertEquals(FOUR, exact.join().bits());
      assertEquals(new Bits(8), wide.join().bits());
    }
  }

  @Test
  void aBatchMayWaitForMoreButNotForEver() {
    FakeModel model = new FakeModel(inputs -> inputs, batching(2, Duration.ofMillis(50)));
    try (Scheduler scheduler = new Scheduler(1, 100)) {
      long start = System.nanoTime();
      scheduler.submit(job(model, INPUTS)).join();
      assertTrue(System.nanoTime() - start >= 50_000_000, "the first of a batch waits");
      CompletableFuture<Completion> one = scheduler.submit(job(model, INPUTS));
      scheduler.submit(job(model, INPUTS)).join();
      one.join();
      assertEquals(List.of(1, 2), model.batches.stream().map(List::size).toList());
    }
  }

  @Test
  void whoCancelsInTheQueueIsNeverComputed() throws InterruptedException {
    Gate gate = new Gate();
    FakeModel model = new FakeModel(gate::pass);
    try (Scheduler scheduler = new Scheduler(1, 100)) {
      CompletableFuture<Completion> first = scheduler.submit(job(model, INPUTS));
      gate.reached();
      Cancellation cancellation = new Cancellation();
      CompletableFuture<Completion> second =
          scheduler.submit(job(model, INPUTS, Urgency.NONE, cancellation));
      cancellation.cancel();
      assertEquals(0, scheduler.depth());
      assertEquals(ErrorCode.CANCELLED, code(second));
      gate.open();
      first.join();
      assertEquals(1, model.batches.size());
    }
  }

  @Test
  void whoCancelsWhileItRunsStopsIt() throws InterruptedException {
    Gate gate = new Gate();
    FakeModel model = new FakeModel(gate::pass);
    try (Scheduler scheduler = new Scheduler(1, 100)) {
      Cancellation cancellation = new Cancellation();
      CompletableFuture<Completion> only =
          scheduler.submit(job(model, INPUTS, Urgency.NONE, cancellation));
      gate.reached();
      cancellation.cancel();
      assertFalse(only.isDone(), "the inputs are the worker's while it computes");
      gate.open();
      assertEquals(ErrorCode.CANCELLED, code(only));
      assertSame(INPUTS, scheduler.submit(job(model, INPUTS)).join().outputs());
    }
  }

  @Test
  void deadlinesAndTimeoutsHoldInTheQueue() throws InterruptedException {
    Gate gate = new Gate();
    FakeModel model = new FakeModel(gate::pass);
    try (Scheduler scheduler = new Scheduler(1, 100)) {
      CompletableFuture<Completion> first = scheduler.submit(job(model, INPUTS));
      gate.reached();
      Urgency late =
          new Urgency(
              Priority.NORMAL, OptionalLong.of(System.nanoTime() + 1_000_000), Optional.empty());
      Urgency impatient =
          new Urgency(Priority.NORMAL, OptionalLong.empty(), Optional.of(Duration.ofMillis(1)));
      CompletableFuture<Completion> second =
          scheduler.submit(job(model, INPUTS, late, new Cancellation()));
      CompletableFuture<Completion> third =
          scheduler.submit(job(model, INPUTS, impatient, new Cancellation()));
      Thread.sleep(5);
      gate.open();
      first.join();
      assertEquals(ErrorCode.DEADLINE_EXCEEDED, code(second));
      assertEquals(ErrorCode.QUEUE_TIMEOUT, code(third));
      assertEquals(1, model.batches.size());
    }
  }

  @Test
  void aDefectOfOneDoesNotCostTheOthersOfItsBatch() throws InterruptedException {
    Gate gate = new Gate();
    FakeModel model =
        new FakeModel(
            inputs -> {
              gate.pass(inputs);
              if (inputs.isEmpty()) {
                throw new AssertionError("boom");
              }
              return inputs;
            });
    try (Scheduler scheduler = new Scheduler(1, 100)) {
      var _ = scheduler.submit(job(model, INPUTS));
      gate.reached();
      CompletableFuture<Completion> bad =
          scheduler.submit(
              new Job(
                  model,
                  FOUR,
                  FOUR,
                  new Workload(1, 2),
                  Map.of(),
                  Urgency.NONE,
                  new Cancellation()));
      CompletableFuture<Completion> good =
          scheduler.submit(
              new Job(
                  model, FOUR, FOUR, new Workload(1, 2), INPUTS, Urgency.NONE, new Cancellation()));
      gate.open();
      assertSame(INPUTS, good.join().outputs());
      CompletionException failed = assertThrows(CompletionException.class, bad::join);
      assertEquals("boom", failed.getCause().getMessage());
    }
  }

  private static ErrorCode code(CompletableFuture<Completion> answer) {
    CompletionException failed = assertThrows(CompletionException.class, answer::join);
    return assertInstanceOf(InferenceException.class, failed.getCause()).code();
  }

  private static BatchingSettings batching(int maxRows, Duration maxDelay) {
    return new BatchingSettings(maxRows, maxDelay, List.of(), BatchingSettings.Padding.BUCKET);
  }

  private static Job job(FakeModel model, Map<String, Tensor> inputs) {
    return job(model, inputs, Urgency.NONE, new Cancellation());
  }

  private static Job job(
      FakeModel model, Map<String, Tensor> inputs, Urgency urgency, Cancellation cancellation) {
    return new Job(model, FOUR, FOUR, Workload.of(inputs), inputs, urgency, cancellation);
  }

  /// Holds a computation until the test lets it go on.
  private static final class Gate {
    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch open = new CountDownLatch(1);

    Map<String, Tensor> pass(Map<String, Tensor> inputs) {
      reached.countDown();
      await(open);
      return inputs;
    }

    void reached() throws InterruptedException {
      reached.await();
    }

    void open() {
      open.countDown();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }
}
