package dev.strata.gateway.metrics;

import dev.strata.gateway.call.Protocol;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import jakarta.inject.Singleton;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/// Traces of requests, where they are switched on; `docs/operations.md` lists the spans. Switched
/// off they cost nothing.
@Singleton
public final class Tracing {

  private final Optional<Tracer> tracer;

  Tracing(
      OpenTelemetry telemetry,
      @ConfigProperty(name = "quarkus.otel.sdk.disabled") boolean disabled) {
    this.tracer = disabled ? Optional.empty() : Optional.of(telemetry.getTracer("strata"));
  }

  /// Empty if traces are switched off.
  public Optional<Tracer> tracer() {
    return tracer;
  }

  /// What a request belongs to: the span of its transport. To be asked on the thread that was
  /// called.
  Context caller() {
    return tracer.isPresent() ? Context.current() : Context.root();
  }

  Optional<RequestSpan> begin(Context caller, Protocol protocol) {
    return tracer.map(known -> RequestSpan.begin(known, caller, protocol));
  }

  /// An answer has been put into the wire's form.
  ///
  /// @param fromNanos in terms of [System#nanoTime]
  void serialized(Context caller, long fromNanos, long toNanos) {
    tracer.ifPresent(
        known ->
            RequestSpan.stage(
                known,
                caller,
                "serialize",
                Attributes.empty(),
                EpochClock.now(),
                fromNanos,
                toNanos));
  }
}
