package dev.strata.gateway;

import dev.strata.gateway.cache.AnswerCache;
import dev.strata.gateway.cache.AnswerCaches;
import dev.strata.gateway.cache.AnswerKey;
import dev.strata.gateway.call.BitsReason;
import dev.strata.gateway.call.Cancellation;
import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.Forecast;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.InferenceRequest;
import dev.strata.gateway.call.InferenceResult;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.OutputWish;
import dev.strata.gateway.call.Precision;
import dev.strata.gateway.call.ServedModel;
import dev.strata.gateway.call.ShadowSettings;
import dev.strata.gateway.call.Workload;
import dev.strata.gateway.metrics.SchedulingMetrics;
import dev.strata.gateway.metrics.SchedulingMetrics.Agreement;
import dev.strata.gateway.metrics.SchedulingMetrics.Comparison;
import dev.strata.gateway.policy.BrownOut;
import dev.strata.gateway.policy.Choice;
import dev.strata.gateway.policy.OverloadWatch;
import dev.strata.gateway.policy.PrecisionPolicy;
import dev.strata.gateway.scheduling.Completion;
import dev.strata.gateway.scheduling.Job;
import dev.strata.gateway.scheduling.Scheduler;
import dev.strata.graph.ConfidenceCascade;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/// One request on its way through one leased model: the choice of its widths, and the answers.
final class Inference {

  /// An answer at one width, before it is known what becomes of it.
  ///
  /// @param cached whether nothing was computed
  private record Computed(
      Choice choice,
      Map<String, Tensor> outputs,
      OptionalDouble margin,
      boolean cached,
      long queueMicros,
      long computeMicros) {

    /// The same answer for another reason, with the cost of what came before.
    Computed after(Computed earlier, BitsReason reason) {
      return new Computed(
          new Choice(choice.bits(), reason),
          outputs,
          margin,
          cached && earlier.cached,
          queueMicros + earlier.queueMicros,
          computeMicros + earlier.computeMicros);
    }

    /// The same answer, chosen otherwise.
    Computed as(Choice other) {
      return new Computed(other, outputs, margin, cached, queueMicros, computeMicros);
    }
  }

  private final InferenceRequest request;
  private final ServedModel model;
  private final ModelCard card;
  private final Workload work;
  private final Cancellation cancellation;
  private final Scheduler scheduler;
  private final OverloadWatch overload;
  private final Optional<AnswerCache> cache;
  private final ShadowChecks shadows;
  private final SchedulingMetrics metrics;

  /// @param request already held against the model's signature
  /// @param model leased until the answer is there
  Inference(
      InferenceRequest request,
      ServedModel model,
      Cancellation cancellation,
      Scheduler scheduler,
      OverloadWatch overload,
      AnswerCaches caches,
      ShadowChecks shadows,
      SchedulingMetrics metrics) {
    this.request = request;
    this.model = model;
    this.card = model.card();
    this.work = Workload.of(request.inputs());
    this.cancellation = cancellation;
    this.scheduler = scheduler;
    this.overload = overload;
    this.cache = caches.of(model);
    this.shadows = shadows;
    this.metrics = metrics;
  }

  InferenceRequest request() {
    return request;
  }

  /// @throws InferenceException if it is refused at once
  CompletableFuture<InferenceResult> answer() {
    boolean cascade =
        request.precision() instanceof Precision.Cascade
            || (request.precision() instanceof Precision.ModelDefault
                && model.policy().precision() instanceof Precision.Cascade);
    CompletableFuture<Computed> computed =
        cascade ? cascade() : compute(choose(request.precision()));
    return computed.thenApply(answer -> result(answer, true));
  }

  /// Answers at each rung in turn.
  ///
  /// @param answers gets all answers but the last
  CompletableFuture<InferenceResult> climb(
      Precision.Ladder ladder, Consumer<InferenceResult> answers) {
    for (Bits rung : ladder.rungs()) {
      card.requirePresent(rung);
      if (!card.precisions().contains(rung)) {
        throw new InferenceException(
            ErrorCode.PRECISION_UNAVAILABLE,
            "ladder: got %s, expected widths of %s".formatted(ladder.rungs(), card.precisions()));
      }
    }
    return climb(ladder.rungs(), answers);
  }

  private CompletableFuture<InferenceResult> climb(
      List<Bits> rungs, Consumer<InferenceResult> answers) {
    Choice rung = choose(new Precision.Exactly(rungs.getFirst()));
    CompletableFuture<Computed> computed = compute(new Choice(rung.bits(), BitsReason.RUNG));
    if (rungs.size() == 1) {
      return computed.thenApply(answer -> result(answer, true));
    }
    return computed.thenCompose(
        answer -> {
          answers.accept(result(answer, false));
          return climb(rungs.subList(1, rungs.size()), answers);
        });
  }

  private CompletableFuture<Computed> cascade() {
    ConfidenceCascade cascade =
        card.cascade()
            .orElseThrow(
                () ->
                    new InferenceException(
                        ErrorCode.PRECISION_UNAVAILABLE,
                        "precision: got cascade, which model '%s' has none of; `strata eval --cascade` measures one"
                            .formatted(card.name())));
    return compute(choose(new Precision.Exactly(cascade.low())))
        .thenCompose(
            narrow -> {
              if (narrow.margin().orElse(0) >= cascade.threshold()) {
                return CompletableFuture.completedFuture(
                    narrow.as(new Choice(cascade.low(), BitsReason.CONFIDENT)));
              }
              try {
                return compute(choose(new Precision.Exactly(cascade.high())))
                    .thenApply(wide -> compared(narrow, wide));
              } catch (InferenceException busy) {
                return CompletableFuture.completedFuture(
                    narrow.as(
                        new Choice(cascade.low(), BitsReason.UNSURE_AND_BUSY, cascade.high())));
              }
            });
  }

  /// A cascade's second answer, which also tells something about the first.
  private Computed compared(Computed narrow, Computed wide) {
    WidthComparison found =
        WidthComparison.of(card, ShadowSettings.STANDARD_COSINE, narrow.outputs(), wide.outputs());
    metrics.compared(
        Comparison.CASCADE,
        card,
        narrow.choice().bits(),
        found.same() ? Agreement.SAME : Agreement.DIFFERENT,
        found.distance());
    return wide.after(narrow, BitsReason.UNSURE);
  }

  private Choice choose(Precision wanted) {
    if (wanted instanceof Precision.Exactly(Bits bits)) {
      card.requirePresent(bits);
    }
    PrecisionPolicy policy = new PrecisionPolicy(card.precisions(), model.policy());
    Forecast forecast =
        scheduler.forecast(model, policy.candidates(wanted), work, request.urgency());
    long now = System.nanoTime();
    BrownOut brownOut = overload.observe(model, forecast.waitNanos(), now);
    return policy.choose(wanted, request.urgency(), forecast, brownOut, now);
  }

  private CompletableFuture<Computed> compute(Choice choice) {
    return cache.isPresent() ? computeOnce(choice, cache.get()) : schedule(choice);
  }

  private CompletableFuture<Computed> computeOnce(Choice choice, AnswerCache answers) {
    AnswerKey key = AnswerKey.of(choice.bits(), request.inputs());
    Optional<AnswerCache.Answer> known = answers.get(key);
    metrics.cache(card, known.isPresent());
    if (known.isPresent()) {
      return CompletableFuture.completedFuture(
          new Computed(choice, known.get().outputs(), known.get().margin(), true, 0, 0));
    }
    return schedule(choice)
        .thenApply(
            computed -> {
              Bits served = computed.choice().bits();
              answers.put(
                  served.equals(choice.bits()) ? key : AnswerKey.of(served, request.inputs()),
                  new AnswerCache.Answer(computed.outputs(), computed.margin()));
              return computed;
            });
  }

  private CompletableFuture<Computed> schedule(Choice choice) {
    Job job =
        new Job(
            model,
            choice.bits(),
            choice.ceiling(),
            work,
            request.inputs(),
            request.urgency(),
            cancellation);
    return scheduler.submit(job).thenApply(completion -> computed(choice, completion));
  }

  private static Computed computed(Choice choice, Completion completion) {
    return new Computed(
        choice.servedAt(completion.bits()),
        completion.outputs(),
        completion.margin(),
        false,
        completion.queueMicros(),
        completion.computeMicros());
  }

  private InferenceResult result(Computed answer, boolean last) {
    Choice choice = answer.choice();
    metrics.served(card, choice.unhindered(), choice.reason(), request.urgency().priority());
    if (!answer.cached()) {
      shadows.answered(model, choice.bits(), request.inputs(), answer.outputs());
    }
    List<OutputWish> wishes =
        request.outputs().isEmpty()
            ? card.signature().outputs().stream().map(spec -> new OutputWish(spec.name())).toList()
            : request.outputs();
    return new InferenceResult(
        card.name(),
        card.version(),
        request.id(),
        choice.bits(),
        request.precision(),
        choice.reason(),
        answer.cached(),
        last,
        wishes.stream()
            .map(wish -> wish.output(answer.outputs().get(wish.name()), card.labels()))
            .toList(),
        answer.queueMicros(),
        answer.computeMicros());
  }
}
