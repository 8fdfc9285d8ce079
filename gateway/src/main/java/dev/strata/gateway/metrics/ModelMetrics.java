package dev.strata.gateway.metrics;

import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.ServedModel;
import dev.strata.gateway.registry.LoadObserver;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.scheduling.Scheduler;
import dev.strata.kernel.NativeLibrary;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/// Gauges of what is loaded and what waits, and what loading costs.
@Singleton
public final class ModelMetrics implements LoadObserver {

  private final MeterRegistry meters;
  private final ModelLabels labels;
  private final RequestMetrics requests;
  private final SchedulingMetrics scheduling;
  private final MultiGauge planeBytes;
  private final MultiGauge residentPlanes;
  private final MultiGauge storedPlanes;

  ModelMetrics(
      MeterRegistry meters,
      ModelLabels labels,
      RequestMetrics requests,
      SchedulingMetrics scheduling,
      Scheduler scheduler) {
    this.meters = meters;
    this.labels = labels;
    this.requests = requests;
    this.scheduling = scheduling;
    this.residentPlanes =
        MultiGauge.builder("strata.planes.resident")
            .description("Widths in memory, which can be asked for")
            .register(meters);
    this.storedPlanes =
        MultiGauge.builder("strata.planes.total")
            .description("Widths of the artifact, in memory or not")
            .register(meters);
    this.planeBytes =
        MultiGauge.builder("strata.plane")
            .baseUnit("bytes")
            .description("Bytes of weight planes in memory")
            .register(meters);
    Gauge.builder("strata.queue.depth", scheduler, Scheduler::depth)
        .description("Requests that wait for a worker")
        .register(meters);
    Gauge.builder("strata.queue.capacity", scheduler, Scheduler::capacity)
        .description("Requests that may wait")
        .register(meters);
    Gauge.builder("strata.queue.wait", scheduler, waiting -> waiting.backlogNanos() / 1e9)
        .baseUnit("seconds")
        .description("Predicted time until all that waits and runs is done")
        .register(meters);
    Gauge.builder("strata.kernel.info", () -> 1)
        .description("Always 1; the label says which instruction set the kernels use")
        .tag("isa", NativeLibrary.loaded().chosen().toString())
        .register(meters);
  }

  /// Shows exactly the models that are ready, and zeros for what has not happened to those that are
  /// known.
  public void show(ModelRegistry registry) {
    registry.entries().forEach(entry -> showZeros(entry.name()));
    List<MultiGauge.Row<?>> bytes = new ArrayList<>();
    List<MultiGauge.Row<?>> resident = new ArrayList<>();
    List<MultiGauge.Row<?>> stored = new ArrayList<>();
    for (ServedModel model : registry.answering()) {
      ModelCard card = model.card();
      requests.show(card);
      scheduling.show(card, model.policy());
      Tags tags = labels.of(card.name(), card.version()).tags();
      int widths = card.offers().size();
      bytes.add(MultiGauge.Row.of(tags, card.planeBytes()));
      resident.add(MultiGauge.Row.of(tags, widths));
      stored.add(MultiGauge.Row.of(tags, widths + card.arriving().size() + card.evicted().size()));
    }
    planeBytes.register(bytes, true);
    residentPlanes.register(resident, true);
    storedPlanes.register(stored, true);
  }

  /// Shows what the memory budget counts, and the budget itself if there is one.
  ///
  /// @param used bytes of artifacts in memory at any time
  public void showMemory(LongSupplier used, OptionalLong budgetBytes) {
    Gauge.builder("strata.memory.used", used::getAsLong)
        .baseUnit("bytes")
        .description("Bytes of artifacts in memory, which the budget bounds")
        .register(meters);
    budgetBytes.ifPresent(
        budget ->
            Gauge.builder("strata.memory.budget", () -> budget)
                .baseUnit("bytes")
                .description("Most bytes of artifacts in memory")
                .register(meters));
  }

  @Override
  public void loaded(String model, Stage stage, Duration time) {
    Timer.builder("strata.load.duration")
        .description("Time from the begin of a load to its stages")
        .tag("model", labels.of(model))
        .tag("stage", stage.name().toLowerCase(Locale.ROOT))
        .register(meters)
        .record(time);
  }

  @Override
  public void failed(String model, Cause cause) {
    failures(model, cause).increment();
  }

  @Override
  public void evicted(String model, int planes) {
    planesEvicted(model).increment(planes);
  }

  @Override
  public void returned(String model) {
    planesReturned(model).increment();
  }

  /// Shows a model with zeros for what has not happened to it.
  private void showZeros(String model) {
    planesEvicted(model);
    planesReturned(model);
    for (Cause cause : Cause.values()) {
      failures(model, cause);
    }
  }

  private Counter failures(String model, Cause cause) {
    return Counter.builder("strata.load.failures")
        .description("Loads that failed, and settings that could not be used")
        .tag("model", labels.of(model))
        .tag("cause", cause.name().toLowerCase(Locale.ROOT))
        .register(meters);
  }

  private Counter planesEvicted(String model) {
    return Counter.builder("strata.planes.evicted")
        .description("Widths given up for want of memory")
        .tag("model", labels.of(model))
        .register(meters);
  }

  private Counter planesReturned(String model) {
    return Counter.builder("strata.planes.returned")
        .description("Widths that came back into memory")
        .tag("model", labels.of(model))
        .register(meters);
  }
}
