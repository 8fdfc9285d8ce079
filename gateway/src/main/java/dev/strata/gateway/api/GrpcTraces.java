package dev.strata.gateway.api;

import dev.strata.gateway.metrics.Tracing;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import jakarta.inject.Singleton;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/// The span of a gRPC call, below that of the caller, who sends it in the call's metadata
/// (`traceparent`). Probes and reflection have none. Names follow OpenTelemetry's semantic
/// conventions for gRPC.
@Singleton
public final class GrpcTraces implements ServerInterceptor {

  private static final String STANDARD_SERVICES = "grpc.";

  /// What the conventions call errors of the server.
  private static final Set<Status.Code> ERRORS =
      EnumSet.of(
          Status.Code.UNKNOWN,
          Status.Code.DEADLINE_EXCEEDED,
          Status.Code.UNIMPLEMENTED,
          Status.Code.INTERNAL,
          Status.Code.UNAVAILABLE,
          Status.Code.DATA_LOSS);

  private static final TextMapGetter<Metadata> METADATA =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(Metadata metadata) {
          return metadata.keys();
        }

        @Override
        public String get(Metadata metadata, String name) {
          return metadata.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
        }
      };

  private final OpenTelemetry telemetry;
  private final Optional<Tracer> tracer;

  GrpcTraces(OpenTelemetry telemetry, Tracing tracing) {
    this.telemetry = telemetry;
    this.tracer = tracing.tracer();
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata metadata, ServerCallHandler<Q, A> next) {
    MethodDescriptor<Q, A> method = call.getMethodDescriptor();
    if (tracer.isEmpty() || method.getFullMethodName().startsWith(STANDARD_SERVICES)) {
      return next.startCall(call, metadata);
    }
    Context caller =
        telemetry
            .getPropagators()
            .getTextMapPropagator()
            .extract(Context.root(), metadata, METADATA);
    Span span =
        tracer
            .get()
            .spanBuilder(method.getFullMethodName())
            .setParent(caller)
            .setSpanKind(SpanKind.SERVER)
            .setAttribute("rpc.system", "grpc")
            .setAttribute("rpc.service", String.valueOf(method.getServiceName()))
            .setAttribute("rpc.method", String.valueOf(method.getBareMethodName()))
            .startSpan();
    Context context = caller.with(span);
    try (Scope _ = context.makeCurrent()) {
      return new Traced<>(next.startCall(ending(call, span), metadata), context, span);
    }
  }

  private static <Q, A> ServerCall<Q, A> ending(ServerCall<Q, A> call, Span span) {
    return new SimpleForwardingServerCall<>(call) {
      @Override
      public void close(Status status, Metadata trailers) {
        span.setAttribute("rpc.grpc.status_code", status.getCode().value());
        if (ERRORS.contains(status.getCode())) {
          span.setStatus(StatusCode.ERROR, String.valueOf(status.getDescription()));
        }
        super.close(status, trailers);
        span.end();
      }
    };
  }

  /// Whatever the service does with a message, it does in the call's context.
  private static final class Traced<Q> extends SimpleForwardingServerCallListener<Q> {
    private final Context context;
    private final Span span;

    Traced(ServerCall.Listener<Q> next, Context context, Span span) {
      super(next);
      this.context = context;
      this.span = span;
    }

    @Override
    public void onMessage(Q message) {
      try (Scope _ = context.makeCurrent()) {
        super.onMessage(message);
      }
    }

    @Override
    public void onHalfClose() {
      try (Scope _ = context.makeCurrent()) {
        super.onHalfClose();
      }
    }

    @Override
    public void onCancel() {
      super.onCancel();
      span.setAttribute("rpc.grpc.status_code", Status.Code.CANCELLED.value());
      span.end();
    }
  }
}
