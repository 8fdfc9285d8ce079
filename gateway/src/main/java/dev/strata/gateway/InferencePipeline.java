package dev.strata.gateway;

import dev.strata.gateway.call.InferenceRequest;
import dev.strata.gateway.call.InferenceResult;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.Precision;
import dev.strata.gateway.call.Protocol;
import dev.strata.gateway.call.ServedModel;
import dev.strata.gateway.metrics.RequestMetrics;
import dev.strata.gateway.policy.PrecisionPolicy;
import dev.strata.gateway.registry.ModelLease;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.scheduling.Completion;
import dev.strata.gateway.scheduling.Scheduler;
import dev.strata.graph.TensorSpec;
import dev.strata.precision.Bits;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/// The way of every request, whatever protocol brought it: decode, lease the model, hold the inputs
/// against its signature, choose the precision, wait for a worker, answer.
@Singleton
public final class InferencePipeline {

  private final ModelRegistry registry;
  private final Scheduler scheduler;
  private final RequestMetrics metrics;
  private final int maxRows;

  InferencePipeline(
      GatewayConfig config, ModelRegistry registry, Scheduler scheduler, RequestMetrics metrics) {
    this.registry = registry;
    this.scheduler = scheduler;
    this.metrics = metrics;
    this.maxRows = config.limits().rows();
  }

  /// Never throws: what goes wrong completes the future, with an `InferenceException` where the
  /// caller may know the reason. Dependents run on a worker's thread; they must not block.
  ///
  /// @param decode turns the wire's message into a request; called at once
  public CompletableFuture<InferenceResult> infer(
      Protocol protocol, Supplier<InferenceRequest> decode) {
    RequestMetrics.Request measured = metrics.start(protocol);
    CompletableFuture<InferenceResult> answer;
    try {
      answer = accept(decode.get(), measured);
    } catch (Throwable refused) {
      answer = CompletableFuture.failedFuture(refused);
    }
    return answer.whenComplete(measured::finish);
  }

  private CompletableFuture<InferenceResult> accept(
      InferenceRequest request, RequestMetrics.Request measured) {
    ModelLease lease = registry.lease(request.model(), request.version());
    try {
      ServedModel model = lease.model();
      ModelCard card = model.card();
      measured.model(card.name(), card.version());
      card.signature().check(request, maxRows);
      if (request.precision() instanceof Precision.Exactly(Bits wanted)) {
        card.requirePresent(wanted);
      }
      Bits bits =
          PrecisionPolicy.choose(request.precision(), card.precisions(), card.defaultBits());
      measured.bits(bits);
      return scheduler
          .submit(model, bits, request.inputs())
          .thenApply(completion -> answer(request, card, bits, completion))
          .whenComplete((_, _) -> lease.close());
    } catch (Throwable refused) {
      lease.close();
      throw refused;
    }
  }

  private static InferenceResult answer(
      InferenceRequest request, ModelCard card, Bits bits, Completion completion) {
    List<String> names =
        request.outputs().isEmpty()
            ? card.signature().outputs().stream().map(TensorSpec::name).toList()
            : request.outputs();
    return new InferenceResult(
        card.name(),
        card.version(),
        request.id(),
        bits,
        names.stream()
            .map(name -> new InferenceResult.Output(name, completion.outputs().get(name)))
            .toList(),
        completion.queueMicros(),
        completion.computeMicros());
  }
}
