package dev.strata.loadtest.drive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.scenario.Payload;
import dev.strata.loadtest.scenario.Phase;
import dev.strata.loadtest.scenario.Scenario;
import dev.strata.loadtest.wire.Client;
import dev.strata.loadtest.wire.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

final class LoadDriverTest {
  private static final Outcome ANSWER = new Outcome.Answered("1", 8, "", 1, 2, "digest");

  @Test
  void aRequestThatStartsLateIsAsSlowAsItsCallerSeesIt() throws InterruptedException {
    AtomicInteger count = new AtomicInteger();
    // The third request holds the driver up for 100 ms, in which ten others become due.
    Run run =
        run(
            new Phase.Open(0.4, 100, 100, false),
            100,
            ended -> {
              if (count.incrementAndGet() == 3) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
              }
              ended.accept(ANSWER);
            });

    assertEquals(39, run.samples().size());
    long late = run.samples().stream().filter(sample -> sample.latencyMillis() > 50).count();
    assertTrue(late >= 5, "requests that waited more than 50 ms: " + late);
  }

  @Test
  void whatCannotBeInFlightIsCountedAsNotSent() throws InterruptedException {
    Executor later = CompletableFuture.delayedExecutor(5, TimeUnit.SECONDS);
    Run run =
        LoadDriver.run(
            scenario(new Phase.Open(0.2, 100, 100, false), 4),
            client(ended -> later.execute(() -> ended.accept(ANSWER))),
            _ -> {},
            Duration.ofMillis(50));

    assertEquals(4, run.samples().size());
    assertEquals(15, run.notSent());
    run.samples().forEach(sample -> assertInstanceOf(Outcome.Failed.class, sample.outcome()));
  }

  @Test
  void usersSendOneRequestAtATime() throws InterruptedException {
    AtomicInteger inFlight = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    Executor later = CompletableFuture.delayedExecutor(2, TimeUnit.MILLISECONDS);
    Run run =
        run(
            new Phase.Closed(0.3, 3),
            100,
            ended -> {
              most.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
              later.execute(
                  () -> {
                    inFlight.decrementAndGet();
                    ended.accept(ANSWER);
                  });
            });

    assertEquals(3, most.get());
    assertTrue(run.samples().size() > 20, "requests: " + run.samples().size());
  }

  @Test
  void arrivalsKeepToTheirRate() throws InterruptedException {
    Run run = run(new Phase.Open(0.5, 400, 400, true), 1_000, ended -> ended.accept(ANSWER));

    // 200 expected; six standard deviations are 85.
    assertTrue(Math.abs(run.samples().size() - 200) < 85, "requests: " + run.samples().size());
  }

  private static Run run(Phase phase, int inFlight, Consumer<Consumer<Outcome>> sending)
      throws InterruptedException {
    return LoadDriver.run(
        scenario(phase, inFlight), client(sending), _ -> {}, Duration.ofSeconds(5));
  }

  private static Scenario scenario(Phase phase, int inFlight) {
    Call call =
        new Call(
            "call",
            1,
            "model",
            Call.Protocol.GRPC,
            Map.of(),
            List.of(Payload.ofBytes("x", new byte[1])));
    return new Scenario(
        "test",
        new Scenario.Target("", ""),
        7,
        new Scenario.Limits(10, 1_000, inFlight),
        100,
        0,
        List.of(call),
        List.of(phase));
  }

  private static Map<Call.Protocol, Client> client(Consumer<Consumer<Outcome>> sending) {
    return Map.of(
        Call.Protocol.GRPC,
        new Client() {
          @Override
          public void send(Call call, Payload payload, Consumer<Outcome> ended) {
            sending.accept(ended);
          }

          @Override
          public void close() {}
        });
  }
}
