package dev.strata.gateway.metrics;

import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelState;
import dev.strata.gateway.scheduling.Scheduler;
import dev.strata.kernel.NativeLibrary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.List;

/// Gauges of what is loaded and what waits.
@Singleton
public final class ModelMetrics {

  private final MultiGauge planeBytes;

  ModelMetrics(MeterRegistry meters, Scheduler scheduler) {
    this.planeBytes =
        MultiGauge.builder("strata.plane")
            .baseUnit("bytes")
            .description("Bytes of weight planes mapped, all widths together")
            .register(meters);
    Gauge.builder("strata.queue.depth", scheduler, Scheduler::depth)
        .description("Requests that wait for a worker")
        .register(meters);
    Gauge.builder("strata.queue.capacity", scheduler, Scheduler::capacity)
        .description("Requests that may wait")
        .register(meters);
    Gauge.builder("strata.kernel.info", () -> 1)
        .description("Always 1; the label says which instruction set the kernels use")
        .tag("isa", NativeLibrary.loaded().chosen().toString())
        .register(meters);
  }

  /// Shows exactly the models that are ready.
  public void show(List<ModelRegistry.Entry> entries) {
    List<MultiGauge.Row<?>> rows = new ArrayList<>();
    for (ModelRegistry.Entry entry : entries) {
      if (entry.state() instanceof ModelState.Ready(ModelCard card)) {
        rows.add(
            MultiGauge.Row.of(
                Tags.of("model", card.name(), "version", card.version()), card.planeBytes()));
      }
    }
    planeBytes.register(rows, true);
  }
}
