package dev.strata.gateway;

import dev.strata.gateway.cache.AnswerCaches;
import dev.strata.gateway.call.Cancellation;
import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.InferenceRequest;
import dev.strata.gateway.call.InferenceResult;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.Precision;
import dev.strata.gateway.metrics.RequestMetrics;
import dev.strata.gateway.metrics.SchedulingMetrics;
import dev.strata.gateway.policy.OverloadWatch;
import dev.strata.gateway.registry.ModelLease;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.scheduling.Scheduler;
import jakarta.inject.Singleton;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// The way of every request, whatever protocol brought it: decode, lease the model, hold the inputs
/// against its signature, choose the precision, wait for a worker, answer.
@Singleton
public final class InferencePipeline {

  private final ModelRegistry registry;
  private final Scheduler scheduler;
  private final OverloadWatch overload;
  private final AnswerCaches caches;
  private final ShadowChecks shadows;
  private final SchedulingMetrics scheduling;
  private final int maxRows;

  InferencePipeline(
      GatewayConfig config,
      ModelRegistry registry,
      Scheduler scheduler,
      OverloadWatch overload,
      AnswerCaches caches,
      ShadowChecks shadows,
      SchedulingMetrics scheduling) {
    this.registry = registry;
    this.scheduler = scheduler;
    this.overload = overload;
    this.caches = caches;
    this.shadows = shadows;
    this.scheduling = scheduling;
    this.maxRows = config.limits().rows();
  }

  /// One request, one answer. Never throws: what goes wrong completes the future, with an
  /// `InferenceException` where the caller may know the reason. Dependents run on a worker's
  /// thread; they must not block.
  ///
  /// @param decode turns the wire's message into a request; called at once
  /// @param cancellation tells when the caller has gone
  public CompletableFuture<InferenceResult> infer(
      RequestMetrics.Exchange exchange,
      Supplier<InferenceRequest> decode,
      Cancellation cancellation) {
    return run(
        exchange,
        decode,
        cancellation,
        (inference, _) -> {
          if (inference.request().precision() instanceof Precision.Ladder) {
            throw new InferenceException(
                ErrorCode.NOT_OFFERED, "ladder: gives several answers, expected a streaming call");
          }
          return inference.answer();
        });
  }

  /// One request and as many answers as it asks for, each as soon as it is there.
  ///
  /// @param answers gets all answers but the last
  /// @return the last answer
  public CompletableFuture<InferenceResult> stream(
      RequestMetrics.Exchange exchange,
      Supplier<InferenceRequest> decode,
      Cancellation cancellation,
      Consumer<InferenceResult> answers) {
    return run(
        exchange,
        decode,
        cancellation,
        (inference, measured) ->
            inference.request().precision() instanceof Precision.Ladder ladder
                ? inference.climb(
                    ladder,
                    answer -> {
                      measured.answered(answer);
                      answers.accept(answer);
                    })
                : inference.answer());
  }

  private interface Course {
    CompletableFuture<InferenceResult> follow(Inference inference, RequestMetrics.Request measured);
  }

  private CompletableFuture<InferenceResult> run(
      RequestMetrics.Exchange exchange,
      Supplier<InferenceRequest> decode,
      Cancellation cancellation,
      Course course) {
    RequestMetrics.Request measured = exchange.start();
    CompletableFuture<InferenceResult> answer;
    try {
      InferenceRequest request = decode.get();
      measured.decoded();
      answer = accept(request, cancellation, measured, course);
    } catch (Throwable refused) {
      answer = CompletableFuture.failedFuture(refused);
    }
    return answer.whenComplete(measured::finish);
  }

  private CompletableFuture<InferenceResult> accept(
      InferenceRequest request,
      Cancellation cancellation,
      RequestMetrics.Request measured,
      Course course) {
    ModelLease lease = registry.lease(request.model(), request.version());
    try {
      ModelCard card = lease.model().card();
      measured.model(card.name(), card.version());
      card.signature().check(request, maxRows);
      Inference inference =
          new Inference(
              request,
              lease.model(),
              cancellation,
              scheduler,
              overload,
              caches,
              shadows,
              scheduling);
      return course.follow(inference, measured).whenComplete((_, _) -> lease.close());
    } catch (Throwable refused) {
      lease.close();
      throw refused;
    }
  }
}
