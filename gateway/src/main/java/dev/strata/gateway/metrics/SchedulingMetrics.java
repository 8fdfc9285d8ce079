package dev.strata.gateway.metrics;

import dev.strata.gateway.call.BitsReason;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.Priority;
import dev.strata.gateway.call.ServedModel;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.inject.Singleton;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntSupplier;

/// What load did to precision: brown-out levels and their changes, and every request that got fewer
/// bits than an idle server would have given it; and what the answer caches saved.
@Singleton
public final class SchedulingMetrics {

  private record Model(String name, String version) {
    static Model of(ModelCard card) {
      return new Model(card.name(), card.version());
    }
  }

  private record Event(String meter, Model model, String tag, String value, String priority) {}

  private final MeterRegistry meters;
  private final Map<Model, AtomicReference<IntSupplier>> levels = new ConcurrentHashMap<>();
  private final Map<Event, Counter> counters = new ConcurrentHashMap<>();

  SchedulingMetrics(MeterRegistry meters) {
    this.meters = meters;
  }

  /// A model's brown-out level has changed.
  ///
  /// @param level what it is at any later time
  public void brownOutChanged(ServedModel served, int before, int after, IntSupplier level) {
    Model model = Model.of(served.card());
    levels.computeIfAbsent(model, this::level).set(level);
    count(
        new Event(
            "strata.brownout.transitions", model, "direction", after > before ? "down" : "up", ""));
  }

  /// The brown-out level of a model version now; 0 also for one that nobody has asked.
  public int brownOutLevel(String name, String version) {
    AtomicReference<IntSupplier> level = levels.get(new Model(name, version));
    return level == null ? 0 : level.get().getAsInt();
  }

  private AtomicReference<IntSupplier> level(Model model) {
    AtomicReference<IntSupplier> level = new AtomicReference<>(() -> 0);
    Gauge.builder("strata.brownout.level", () -> level.get().getAsInt())
        .tag("model", model.name())
        .tag("version", model.version())
        .register(meters);
    return level;
  }

  /// A request got this width for this reason.
  public void served(ModelCard card, BitsReason reason, Priority priority) {
    if (reason.degraded()) {
      count(
          new Event(
              "strata.degradations",
              Model.of(card),
              "reason",
              reason.label(),
              priority.name().toLowerCase(Locale.ROOT)));
    }
  }

  /// A request that might have been answered from the cache was, or was not.
  public void cache(ModelCard card, boolean hit) {
    count(new Event("strata.cache.requests", Model.of(card), "result", hit ? "hit" : "miss", ""));
  }

  private void count(Event event) {
    counters.computeIfAbsent(event, this::counter).increment();
  }

  private Counter counter(Event event) {
    Counter.Builder counter =
        Counter.builder(event.meter())
            .tag("model", event.model().name())
            .tag("version", event.model().version())
            .tag(event.tag(), event.value());
    return (event.priority().isEmpty() ? counter : counter.tag("priority", event.priority()))
        .register(meters);
  }
}
