package dev.strata.gateway;

import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.ServedModel;
import dev.strata.gateway.call.ShadowSettings;
import dev.strata.gateway.metrics.SchedulingMetrics;
import dev.strata.gateway.metrics.SchedulingMetrics.Agreement;
import dev.strata.gateway.metrics.SchedulingMetrics.Comparison;
import dev.strata.gateway.registry.ModelLease;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.scheduling.Scheduler;
import dev.strata.gateway.scheduling.Spare;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import jakarta.inject.Singleton;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.ThreadLocalRandom;

/// Computes a share of the narrow answers again at a wider width, and counts whether they agree, so
/// that an operator sees what narrow widths cost on real traffic. Off unless a model's owner asks
/// for it.
@Singleton
final class ShadowChecks {

  private final ModelRegistry registry;
  private final Scheduler scheduler;
  private final SchedulingMetrics metrics;

  ShadowChecks(ModelRegistry registry, Scheduler scheduler, SchedulingMetrics metrics) {
    this.registry = registry;
    this.scheduler = scheduler;
    this.metrics = metrics;
  }

  /// An answer has been computed, for a request whose inputs are still there.
  void answered(
      ServedModel model, Bits bits, Map<String, Tensor> inputs, Map<String, Tensor> outputs) {
    Optional<ShadowSettings> wanted = model.policy().shadow();
    if (wanted.isEmpty()
        || bits.compareTo(wanted.get().bits()) >= 0
        || ThreadLocalRandom.current().nextDouble() >= wanted.get().share()) {
      return;
    }
    ShadowSettings shadow = wanted.get();
    ModelCard card = model.card();
    boolean accepted =
        scheduler.whenIdle(
            () ->
                new Spare(
                    model,
                    shadow.bits(),
                    copies(inputs),
                    () -> hold(model, shadow.bits()),
                    wide -> compare(card, bits, shadow, outputs, wide)));
    if (!accepted) {
      metrics.compared(Comparison.SHADOW, card, bits, Agreement.SKIPPED, OptionalDouble.empty());
    }
  }

  private void compare(
      ModelCard card,
      Bits bits,
      ShadowSettings shadow,
      Map<String, Tensor> narrow,
      Optional<Map<String, Tensor>> wide) {
    if (wide.isEmpty()) {
      metrics.compared(Comparison.SHADOW, card, bits, Agreement.SKIPPED, OptionalDouble.empty());
      return;
    }
    WidthComparison found = WidthComparison.of(card, shadow.cosine(), narrow, wide.get());
    metrics.compared(
        Comparison.SHADOW,
        card,
        bits,
        found.same() ? Agreement.SAME : Agreement.DIFFERENT,
        found.distance());
  }

  /// Not before the computation begins: a lease would keep planes in memory, and keep the model
  /// from being unloaded.
  private Optional<Runnable> hold(ServedModel model, Bits bits) {
    ModelCard card = model.card();
    try {
      ModelLease lease = registry.lease(card.name(), Optional.of(card.version()));
      if (lease.model() == model && model.card().precisions().contains(bits)) {
        return Optional.of(lease::close);
      }
      lease.close();
    } catch (InferenceException gone) {
      // As good as another model in its place.
    }
    return Optional.empty();
  }

  private static Map<String, Tensor> copies(Map<String, Tensor> inputs) {
    Map<String, Tensor> copies = new HashMap<>();
    inputs.forEach((name, tensor) -> copies.put(name, tensor.copy()));
    return copies;
  }
}
