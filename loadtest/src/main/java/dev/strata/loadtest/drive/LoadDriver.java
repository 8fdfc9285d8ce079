package dev.strata.loadtest.drive;

import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.scenario.Phase;
import dev.strata.loadtest.scenario.Scenario;
import dev.strata.loadtest.wire.Client;
import dev.strata.loadtest.wire.GrpcClient;
import dev.strata.loadtest.wire.Outcome;
import dev.strata.loadtest.wire.RestClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/// Runs a scenario once.
///
/// Open phases keep to the clock: a request's latency counts from the moment at which it was due,
/// also when the driver or a slow server made it start later (no coordinated omission). Closed
/// phases wait for the answers.
public final class LoadDriver {
  /// How long answers may still come after the last request.
  private static final Duration GRACE = Duration.ofSeconds(30);

  /// Before a start, the thread sleeps until so much is left and watches the clock from there.
  private static final long SPIN_NANOS = 60_000;

  private final Scenario scenario;
  private final Map<Call.Protocol, Client> clients;
  private final Mix mix;
  private final Random random;
  private final Queue<Sample> samples = new ConcurrentLinkedQueue<>();
  private final Semaphore room;
  private final AtomicLong budget;
  private final AtomicLong answered = new AtomicLong();
  private final IntConsumer progress;
  private final Duration grace;
  private final long begin = System.nanoTime();
  private final long end;
  private long sent;
  private long notSent;

  private LoadDriver(
      Scenario scenario, Map<Call.Protocol, Client> clients, IntConsumer progress, Duration grace) {
    this.scenario = scenario;
    this.grace = grace;
    this.clients = clients;
    this.progress = progress;
    random = new Random(scenario.seed());
    mix = new Mix(scenario.calls(), random);
    room = new Semaphore(scenario.limits().inFlight());
    budget = new AtomicLong(scenario.limits().requests());
    end = begin + nanos(scenario.limits().seconds());
  }

  /// Asks the scenario's target.
  ///
  /// @param progress told the seconds that have passed, about once a second
  public static Run run(Scenario scenario, IntConsumer progress) throws InterruptedException {
    Map<Call.Protocol, Client> clients = new EnumMap<>(Call.Protocol.class);
    try {
      for (Call call : scenario.calls()) {
        clients.computeIfAbsent(call.protocol(), protocol -> client(protocol, scenario.target()));
      }
      greet(scenario, clients);
      return run(scenario, clients, progress);
    } finally {
      clients.values().forEach(Client::close);
    }
  }

  /// One request of each call that is not measured: connecting and loading the client's own classes
  /// takes the better part of a second, which would count as the server's.
  private static void greet(Scenario scenario, Map<Call.Protocol, Client> clients)
      throws InterruptedException {
    CountDownLatch answers = new CountDownLatch(scenario.calls().size());
    for (Call call : scenario.calls()) {
      clients.get(call.protocol()).send(call, call.payloads().getFirst(), _ -> answers.countDown());
    }
    // If one is not answered, the run itself will say so.
    boolean _ = answers.await(GRACE.toSeconds(), TimeUnit.SECONDS);
  }

  private static Client client(Call.Protocol protocol, Scenario.Target target) {
    return switch (protocol) {
      case GRPC -> new GrpcClient(target.grpc());
      case REST -> new RestClient(target.rest());
    };
  }

  /// Asks whatever the clients reach.
  ///
  /// @param clients one for each protocol of the scenario
  /// @param progress told the seconds that have passed, about once a second
  public static Run run(Scenario scenario, Map<Call.Protocol, Client> clients, IntConsumer progress)
      throws InterruptedException {
    return run(scenario, clients, progress, GRACE);
  }

  /// @param grace after which a request without an answer counts as lost
  static Run run(
      Scenario scenario, Map<Call.Protocol, Client> clients, IntConsumer progress, Duration grace)
      throws InterruptedException {
    return new LoadDriver(scenario, clients, progress, grace).run();
  }

  private Run run() throws InterruptedException {
    long from = begin;
    for (Phase phase : scenario.phases()) {
      long to = Math.min(from + nanos(phase.seconds()), end);
      switch (phase) {
        case Phase.Open open -> open(open, from, to);
        case Phase.Closed closed -> closed(closed, to);
        case Phase.Trace trace -> trace(trace, from, to);
      }
      waitUntil(to);
      from = to;
    }
    long deadline = System.nanoTime() + grace.toNanos();
    while (answered.get() < sent && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(5);
    }
    List<Sample> all = new ArrayList<>(samples);
    for (long lost = sent - all.size(); lost > 0; lost--) {
      all.add(new Sample(0, 0, from - begin, grace.toNanos(), new Outcome.Failed("no answer")));
    }
    all.sort(Comparator.comparingLong(Sample::intendedNanos));
    return new Run(scenario, all, notSent, (System.nanoTime() - begin) / 1e9);
  }

  private void open(Phase.Open phase, long from, long to) {
    Arrivals arrivals = new Arrivals(phase, random);
    for (OptionalDouble at = arrivals.next(); at.isPresent(); at = arrivals.next()) {
      long due = from + nanos(at.getAsDouble());
      if (due >= to || !start(mix.next(), due)) {
        return;
      }
    }
  }

  private void trace(Phase.Trace phase, long from, long to) {
    for (Phase.Trace.Arrival arrival : phase.arrivals()) {
      long due = from + nanos(arrival.atSeconds());
      Mix.Choice choice = arrival.call().isEmpty() ? mix.next() : mix.named(arrival.call());
      if (due >= to || !start(choice, due)) {
        return;
      }
    }
  }

  /// @return whether more may be sent
  private boolean start(Mix.Choice choice, long due) {
    if (budget.getAndDecrement() <= 0) {
      return false;
    }
    waitUntil(due);
    if (!room.tryAcquire()) {
      notSent++;
      return true;
    }
    sent++;
    send(choice, due, () -> room.release());
    return true;
  }

  /// Each user's next request is sent by the thread that brought the last answer's end.
  private void closed(Phase.Closed phase, long to) throws InterruptedException {
    Semaphore free = new Semaphore(phase.users());
    while (System.nanoTime() < to) {
      if (!free.tryAcquire(to - System.nanoTime(), TimeUnit.NANOSECONDS)
          || budget.getAndDecrement() <= 0) {
        return;
      }
      sent++;
      send(mix.next(), System.nanoTime(), free::release);
    }
  }

  private void send(Mix.Choice choice, long due, Runnable done) {
    Call call = choice.call();
    clients
        .get(call.protocol())
        .send(
            call,
            call.payloads().get(choice.variant()),
            outcome -> {
              long now = System.nanoTime();
              samples.add(
                  new Sample(choice.index(), choice.variant(), due - begin, now - due, outcome));
              done.run();
              answered.incrementAndGet();
            });
  }

  private void waitUntil(long due) {
    for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
      if (left > TimeUnit.SECONDS.toNanos(1)) {
        progress.accept((int) TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin));
        LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(1));
      } else if (left > SPIN_NANOS) {
        LockSupport.parkNanos(left - SPIN_NANOS);
      } else {
        Thread.onSpinWait();
      }
    }
  }

  private static long nanos(double seconds) {
    return (long) (seconds * 1e9);
  }
}
