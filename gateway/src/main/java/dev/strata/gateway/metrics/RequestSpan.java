package dev.strata.gateway.metrics;

import dev.strata.gateway.call.InferenceResult;
import dev.strata.gateway.call.Protocol;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.concurrent.TimeUnit;

/// The span of one inference and, below it, those of its stages. The stages are told when they are
/// over, so nothing has to follow the request from thread to thread.
final class RequestSpan {

  private static final AttributeKey<Long> BITS = AttributeKey.longKey("strata.bits");

  private final Tracer tracer;
  private final EpochClock clock;
  private final Context context;
  private final Span span;

  private RequestSpan(Tracer tracer, EpochClock clock, Context caller, Span span) {
    this.tracer = tracer;
    this.clock = clock;
    this.context = caller.with(span);
    this.span = span;
  }

  static RequestSpan begin(Tracer tracer, Context caller, Protocol protocol) {
    EpochClock clock = EpochClock.now();
    Span span =
        tracer
            .spanBuilder("infer")
            .setParent(caller)
            .setStartTimestamp(clock.epochNanos(System.nanoTime()), TimeUnit.NANOSECONDS)
            .setAttribute("strata.protocol", protocol.label())
            .startSpan();
    return new RequestSpan(tracer, clock, caller, span);
  }

  void model(String name, String version) {
    span.setAttribute("strata.model", name).setAttribute("strata.version", version);
  }

  void parsed(long fromNanos, long toNanos) {
    stage(tracer, context, "parse", Attributes.empty(), clock, fromNanos, toNanos);
  }

  /// One answer; a ladder has several.
  ///
  /// @param nowNanos when the computation was done, in terms of [System#nanoTime]
  void answered(InferenceResult result, long rows, long nowNanos) {
    long kernel = nowNanos - TimeUnit.MICROSECONDS.toNanos(result.computeMicros());
    long queue = kernel - TimeUnit.MICROSECONDS.toNanos(result.queueMicros());
    Attributes bits = Attributes.of(BITS, (long) result.bits().count());
    if (!result.cached()) {
      stage(tracer, context, "queue", bits, clock, queue, kernel);
      stage(tracer, context, "kernel", bits, clock, kernel, nowNanos);
    }
    span.setAllAttributes(bits);
    span.setAllAttributes(
        Attributes.builder()
            .put("strata.requested", result.requested().text())
            .put("strata.bits_reason", result.reason().label())
            .put("strata.cached", result.cached())
            .put("strata.rows", rows)
            .build());
  }

  /// A stage that is over.
  static void stage(
      Tracer tracer,
      Context parent,
      String name,
      Attributes attributes,
      EpochClock clock,
      long fromNanos,
      long toNanos) {
    tracer
        .spanBuilder(name)
        .setParent(parent)
        .setAllAttributes(attributes)
        .setStartTimestamp(clock.epochNanos(fromNanos), TimeUnit.NANOSECONDS)
        .startSpan()
        .end(clock.epochNanos(toNanos), TimeUnit.NANOSECONDS);
  }

  /// Lets what is recorded now have this span as its exemplar.
  void recording(Runnable records) {
    try (Scope _ = context.makeCurrent()) {
      records.run();
    }
  }

  void end() {
    span.end(clock.epochNanos(System.nanoTime()), TimeUnit.NANOSECONDS);
  }

  /// @param outcome as in the metrics
  void fail(String outcome) {
    span.setAttribute("strata.outcome", outcome).setStatus(StatusCode.ERROR, outcome);
    end();
  }
}
