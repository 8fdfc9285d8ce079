package dev.strata.gateway.scheduling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
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
        answers.add(scheduler.submit(model, FOUR, INPUTS));
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
      accepted.add(scheduler.submit(slow, FOUR, INPUTS));
      running.await();
      accepted.add(scheduler.submit(slow, FOUR, INPUTS));
      accepted.add(scheduler.submit(slow, FOUR, INPUTS));
      assertEquals(2, scheduler.depth());
      InferenceException refused =
          assertThrows(InferenceException.class, () -> scheduler.submit(slow, FOUR, INPUTS));
      assertEquals(ErrorCode.QUEUE_FULL, refused.code());
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
      scheduler.submit(model, FOUR, INPUTS).join();
      CompletionException failed =
          assertThrows(
              CompletionException.class, () -> scheduler.submit(model, FOUR, Map.of()).join());
      assertEquals("boom", failed.getCause().getMessage());
      assertSame(INPUTS, scheduler.submit(model, FOUR, INPUTS).join().outputs());
      assertEquals(2, model.opened.get());
      assertEquals(1, model.closed.get());
      assertTrue(scheduler.alive());
    }
  }

  @Test
  void aRetiredModelsSessionIsClosedWithoutAnotherRequest() throws InterruptedException {
    FakeModel model = new FakeModel(inputs -> inputs);
    try (Scheduler scheduler = new Scheduler(1, 10)) {
      scheduler.submit(model, FOUR, INPUTS).join();
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
      accepted.add(scheduler.submit(model, FOUR, INPUTS));
    }
    scheduler.close();
    accepted.forEach(CompletableFuture::join);
    InferenceException refused =
        assertThrows(InferenceException.class, () -> scheduler.submit(model, FOUR, INPUTS));
    assertEquals(ErrorCode.SHUTTING_DOWN, refused.code());
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }
}
