package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.BatchingSettings;
import dev.strata.gateway.call.Cancellation;
import dev.strata.gateway.call.Forecast;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.Precision;
import dev.strata.gateway.call.Priority;
import dev.strata.gateway.call.Urgency;
import dev.strata.gateway.call.Workload;
import dev.strata.gateway.policy.BrownOut;
import dev.strata.gateway.policy.Choice;
import dev.strata.gateway.policy.PrecisionPolicy;
import dev.strata.precision.Bits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/// Replays a trace of arrivals against the real queues, policy and brown-out, with a clock and
/// computations of its own. The same seed gives the same history.
final class Simulation {

  /// @param atNanos when the request comes
  /// @param lengthClass of its row
  record Arrival(
      long atNanos, Precision wish, Priority priority, Duration deadline, int lengthClass) {

    /// Of a usual length.
    Arrival(long atNanos, Precision wish, Priority priority, Duration deadline) {
      this(atNanos, wish, priority, deadline, 6);
    }
  }

  /// How one request ended.
  ///
  /// @param choice as it was computed; as it was chosen if it never was; empty if it was refused at
  ///     once
  /// @param answeredNanos absent if it was never answered
  record Ending(Arrival arrival, Optional<Choice> choice, OptionalLong answeredNanos) {

    boolean inTime() {
      return answeredNanos.isPresent()
          && answeredNanos.getAsLong() - arrival.atNanos() <= arrival.deadline().toNanos();
    }

    int bits() {
      return choice.orElseThrow().bits().count();
    }
  }

  /// @param endings in the order of arrival
  /// @param transitions how often the level changed
  record History(List<Ending> endings, int transitions) {

    long inTime() {
      return endings.stream().filter(Ending::inTime).count();
    }
  }

  /// What a machine takes.
  interface Cost {
    /// @return milliseconds of one batch
    double millis(Bits bits, Workload work);
  }

  private record Running(Batch batch, Took took, long endNanos) {}

  private final FakeModel model = new FakeModel(inputs -> inputs, BatchingSettings.STANDARD);
  private final WorkQueues queues;
  private final int workers;
  private final Cost cost;
  private final boolean brownsOut;
  private final Random noise;
  private final Map<Integer, Running> running = new HashMap<>();
  private final Map<Long, Ending> endings = new HashMap<>();
  private final Map<Long, Arrival> arrivals = new HashMap<>();
  private BrownOut state = BrownOut.calm(0);
  private boolean shared;
  private double moment = 1;
  private double momentMillis;
  private int transitions;

  /// @param cost mean of the compute times; real ones spread by 20% around it
  Simulation(int workers, Cost cost, boolean brownsOut, long seed) {
    this.workers = workers;
    this.queues = new WorkQueues(workers);
    this.cost = cost;
    this.brownsOut = brownsOut;
    this.noise = new Random(seed);
  }

  /// From now on the machine is shared with others: it is slower or faster for a part of a second,
  /// and one batch in thirty stalls.
  Simulation shared() {
    shared = true;
    return this;
  }

  /// Arrivals of a Poisson process.
  static List<Arrival> poisson(
      double perSecond, Duration length, Arrival like, long startNanos, long seed) {
    Random random = new Random(seed);
    List<Arrival> arrivals = new ArrayList<>();
    double at = startNanos;
    while (true) {
      at += -Math.log(1 - random.nextDouble()) / perSecond * 1e9;
      if (at >= startNanos + (double) length.toNanos()) {
        return arrivals;
      }
      arrivals.add(
          new Arrival(
              (long) at, like.wish(), like.priority(), like.deadline(), like.lengthClass()));
    }
  }

  History replay(List<Arrival> trace) {
    long number = 0;
    for (Arrival arrival : trace) {
      runUntil(arrival.atNanos());
      arrive(number++, arrival);
      startIdle(arrival.atNanos());
    }
    runUntil(Long.MAX_VALUE);
    List<Ending> inOrder = new ArrayList<>();
    for (long i = 0; i < number; i++) {
      inOrder.add(endings.get(i));
    }
    return new History(inOrder, transitions);
  }

  private void arrive(long number, Arrival arrival) {
    long now = arrival.atNanos();
    Urgency urgency =
        new Urgency(
            arrival.priority(),
            OptionalLong.of(now + arrival.deadline().toNanos()),
            Optional.empty());
    Workload work = new Workload(1, arrival.lengthClass());
    Forecast forecast = queues.forecast(model, Bits.all(), work, urgency, now);
    if (brownsOut) {
      BrownOut next = state.observe(now, forecast.waitNanos(), model.policy().queue());
      transitions += next.level() == state.level() ? 0 : 1;
      state = next;
    }
    try {
      Choice choice =
          new PrecisionPolicy(Bits.all(), model.policy())
              .choose(arrival.wish(), urgency, forecast, state, now);
      Job job =
          new Job(
              model, choice.bits(), choice.ceiling(), work, Map.of(), urgency, new Cancellation());
      endings.put(number, new Ending(arrival, Optional.of(choice), OptionalLong.empty()));
      queues.add(Pending.of(job, number, now, new CompletableFuture<>()));
    } catch (InferenceException refused) {
      endings.put(number, new Ending(arrival, Optional.empty(), OptionalLong.empty()));
    }
    arrivals.put(number, arrival);
  }

  private void runUntil(long now) {
    while (true) {
      Optional<Map.Entry<Integer, Running>> first =
          running.entrySet().stream()
              .min((a, b) -> Long.compare(a.getValue().endNanos(), b.getValue().endNanos()));
      if (first.isEmpty() || first.get().getValue().endNanos() > now) {
        return;
      }
      finish(first.get().getKey(), first.get().getValue());
    }
  }

  private void finish(int worker, Running done) {
    running.remove(worker);
    for (Pending member : done.batch().members()) {
      Ending begun = endings.get(member.number());
      endings.put(
          member.number(),
          new Ending(
              begun.arrival(),
              begun.choice().map(choice -> choice.servedAt(done.batch().bits())),
              OptionalLong.of(done.endNanos())));
    }
    queues.done(worker, done.batch(), done.took(), true, done.endNanos());
    startIdle(done.endNanos());
  }

  private void startIdle(long now) {
    for (int worker = 0; worker < workers; worker++) {
      if (!running.containsKey(worker)) {
        Optional<Batch> batch = queues.take(worker, now, new ArrayList<>());
        if (batch.isPresent()) {
          Took took = took(batch.get());
          running.put(worker, new Running(batch.get(), took, now + took.nanos()));
        }
      }
    }
  }

  private Took took(Batch batch) {
    double spread = Math.max(0.5, 1 + 0.2 * noise.nextGaussian());
    double millis = cost.millis(batch.bits(), batch.work()) * spread;
    double stall = 0;
    if (shared) {
      millis *= moment;
      momentMillis -= millis;
      if (momentMillis < 0) {
        moment = Math.exp(0.3 * noise.nextGaussian());
        momentMillis = 1000 * noise.nextDouble();
      }
      stall = noise.nextInt(30) == 0 ? 40 * noise.nextDouble() : 0;
    }
    return new Took((long) ((millis + stall) * 1e6), (long) (millis * 1e6));
  }
}
