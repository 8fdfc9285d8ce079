package dev.strata.gateway.metrics;

import dev.strata.gateway.call.BitsReason;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.ModelPolicy;
import dev.strata.gateway.call.Priority;
import dev.strata.gateway.call.ServedModel;
import dev.strata.gateway.metrics.ModelLabels.Label;
import dev.strata.precision.Bits;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import jakarta.inject.Singleton;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntSupplier;

/// What load did to precision: brown-out levels and their changes, and every request that got fewer
/// bits than an idle server would have given it; what the answer caches saved; and whether narrow
/// answers agree with wide ones.
@Singleton
public final class SchedulingMetrics {

  /// Where a pair of answers at two widths came from.
  public enum Comparison {
    /// A sample of answers is computed again at a wider width.
    SHADOW,
    /// A cascade was not sure of its narrow answer: these are the hard cases only.
    CASCADE;

    private String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /// What a comparison showed.
  public enum Agreement {
    SAME,
    DIFFERENT,
    /// There was no idle capacity for it.
    SKIPPED;

    private String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private record Event(String meter, Label model, Tags tags) {}

  private final MeterRegistry meters;
  private final ModelLabels labels;
  private final Map<Label, AtomicReference<IntSupplier>> levels = new ConcurrentHashMap<>();
  private final Map<Event, Counter> counters = new ConcurrentHashMap<>();
  private final Map<Event, DistributionSummary> distances = new ConcurrentHashMap<>();
  private final Map<String, Counter> requestedBits = new ConcurrentHashMap<>();

  SchedulingMetrics(MeterRegistry meters, ModelLabels labels) {
    this.meters = meters;
    this.labels = labels;
  }

  /// Shows a model that is ready with zeros for what has not happened to it, since a counter that
  /// appears with its first event hides that event from `rate` and `increase`.
  void show(ModelCard card, ModelPolicy policy) {
    Label label = label(card);
    levels.computeIfAbsent(label, this::level);
    requestedBits(label);
    counter(transitions(label, "up"));
    counter(transitions(label, "down"));
    for (BitsReason reason : BitsReason.values()) {
      for (Priority priority : reason.degraded() ? Priority.values() : new Priority[0]) {
        counter(degradations(label, reason, priority));
      }
    }
    if (policy.cacheBytes() > 0) {
      counter(cacheRequests(label, true));
      counter(cacheRequests(label, false));
    }
    card.cascade().ifPresent(cascade -> showComparison(Comparison.CASCADE, label, cascade.low()));
    policy
        .shadow()
        .ifPresent(
            shadow ->
                card.precisions().stream()
                    .filter(bits -> bits.compareTo(shadow.bits()) < 0)
                    .forEach(bits -> showComparison(Comparison.SHADOW, label, bits)));
  }

  private void showComparison(Comparison source, Label label, Bits bits) {
    Arrays.stream(Agreement.values())
        .filter(result -> source == Comparison.SHADOW || result != Agreement.SKIPPED)
        .forEach(result -> counter(comparisons(source, label, bits, result)));
  }

  /// A model's brown-out level has changed.
  ///
  /// @param level what it is at any later time
  public void brownOutChanged(ServedModel served, int before, int after, IntSupplier level) {
    Label model = label(served.card());
    levels.computeIfAbsent(model, this::level).set(level);
    counter(transitions(model, after > before ? "down" : "up")).increment();
  }

  /// The brown-out level of a model version now; 0 also for one that nobody has asked.
  public int brownOutLevel(String name, String version) {
    AtomicReference<IntSupplier> level = levels.get(labels.of(name, version));
    return level == null ? 0 : level.get().getAsInt();
  }

  private AtomicReference<IntSupplier> level(Label model) {
    AtomicReference<IntSupplier> level = new AtomicReference<>(() -> 0);
    Gauge.builder("strata.brownout.level", () -> level.get().getAsInt())
        .description("Widths that a request of low priority passes over; 0 is calm")
        .tags(model.tags())
        .register(meters);
    return level;
  }

  /// A request got its width.
  ///
  /// @param unhindered what an idle server would have given it
  public void served(ModelCard card, Bits unhindered, BitsReason reason, Priority priority) {
    Label model = label(card);
    requestedBits(model).increment(unhindered.count());
    if (reason.degraded()) {
      counter(degradations(model, reason, priority)).increment();
    }
  }

  /// A request that might have been answered from the cache was, or was not.
  public void cache(ModelCard card, boolean hit) {
    counter(cacheRequests(label(card), hit)).increment();
  }

  /// Two widths have answered the same request, or would have.
  ///
  /// @param bits the narrower
  /// @param distance 1 - cosine of the two answers, where they are vectors
  public void compared(
      Comparison source, ModelCard card, Bits bits, Agreement result, OptionalDouble distance) {
    Label model = label(card);
    counter(comparisons(source, model, bits, result)).increment();
    distance.ifPresent(
        value ->
            distances
                .computeIfAbsent(
                    new Event(
                        "strata.width.distance",
                        model,
                        Tags.of("source", source.label(), "bits", bits.toString())),
                    this::distance)
                .record(value));
  }

  private Label label(ModelCard card) {
    return labels.of(card.name(), card.version());
  }

  private Counter requestedBits(Label model) {
    return requestedBits.computeIfAbsent(
        model.model(),
        name ->
            Counter.builder("strata.precision.requested.bits")
                .description("Sum of the widths that an idle server would have answered at")
                .tag("model", name)
                .register(meters));
  }

  private static Event transitions(Label model, String direction) {
    return new Event("strata.brownout.transitions", model, Tags.of("direction", direction));
  }

  private static Event degradations(Label model, BitsReason reason, Priority priority) {
    return new Event(
        "strata.degradations",
        model,
        Tags.of("reason", reason.label(), "priority", priority.name().toLowerCase(Locale.ROOT)));
  }

  private static Event cacheRequests(Label model, boolean hit) {
    return new Event("strata.cache.requests", model, Tags.of("result", hit ? "hit" : "miss"));
  }

  private static Event comparisons(Comparison source, Label model, Bits bits, Agreement result) {
    return new Event(
        "strata.width.comparisons",
        model,
        Tags.of("source", source.label(), "bits", bits.toString(), "result", result.label()));
  }

  private Counter counter(Event event) {
    return counters.computeIfAbsent(
        event,
        _ ->
            Counter.builder(event.meter())
                .tags(event.model().tags())
                .tags(event.tags())
                .register(meters));
  }

  private DistributionSummary distance(Event event) {
    return DistributionSummary.builder(event.meter())
        .description("1 - cosine between the answers of two widths to the same request")
        .tags(event.model().tags())
        .tags(event.tags())
        .serviceLevelObjectives(1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1)
        .register(meters);
  }
}
