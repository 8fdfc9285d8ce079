package dev.strata.gateway.transport;

import com.google.protobuf.MessageLite;
import dev.strata.gateway.Drain;
import dev.strata.gateway.GatewayConfig;
import dev.strata.gateway.security.Access;
import dev.strata.gateway.security.Credentials;
import dev.strata.gateway.security.Endpoints;
import dev.strata.gateway.security.Permission;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import jakarta.inject.Singleton;
import java.util.Optional;

/// What every gRPC call meets first.
@Singleton
final class GrpcGate {

  private static final Metadata.Key<String> AUTHORIZATION = key(Credentials.AUTHORIZATION);
  private static final Metadata.Key<String> API_KEY = key(Credentials.API_KEY);

  /// Milliseconds after which a client may try again, elsewhere by then.
  private static final Metadata.Key<String> PUSHBACK = key("grpc-retry-pushback-ms");

  private final Access access;
  private final Drain drain;
  private final BytesInFlight bytes;
  private final AccessLog log;

  GrpcGate(GatewayConfig config, Access access, Drain drain, BytesInFlight bytes) {
    this.bytes = bytes;
    this.access = access;
    this.drain = drain;
    this.log = new AccessLog(config.accessLog());
  }

  /// Not a bean of that type: it must stand before all others.
  ServerInterceptor interceptor() {
    return this::admit;
  }

  private <Q, A> ServerCall.Listener<Q> admit(
      ServerCall<Q, A> call, Metadata metadata, ServerCallHandler<Q, A> next) {
    String name = call.getMethodDescriptor().getFullMethodName();
    Permission permission = Endpoints.procedure(name);
    ServerCall<Q, A> logged = log.enabled() ? logged(call, name) : call;
    return switch (access.decide(permission, credentials(call, metadata))) {
      case Access.Decision.Unauthenticated(String reason) ->
          refuse(logged, Status.UNAUTHENTICATED.withDescription(reason), new Metadata());
      case Access.Decision.Forbidden(String reason) ->
          refuse(logged, Status.PERMISSION_DENIED.withDescription(reason), new Metadata());
      case Access.Decision.Granted _ when drain.refusing() && permission != Permission.ANYONE -> {
        yield refuse(
            logged, Status.UNAVAILABLE.withDescription(HttpGate.SHUTTING_DOWN), pushback());
      }
      case Access.Decision.Granted _ -> new Weighing<>(logged, next.startCall(logged, metadata));
    };
  }

  private static Metadata pushback() {
    Metadata trailers = new Metadata();
    trailers.put(PUSHBACK, Integer.toString(1000 * HttpGate.RETRY_SECONDS));
    return trailers;
  }

  /// Holds room for a call's message until the call is over; of a stream, for its largest.
  private final class Weighing<Q, A> extends SimpleForwardingServerCallListener<Q> {
    private final ServerCall<Q, A> call;
    private long held;
    private boolean refused;

    Weighing(ServerCall<Q, A> call, ServerCall.Listener<Q> next) {
      super(next);
      this.call = call;
    }

    @Override
    public void onMessage(Q message) {
      if (refused) {
        drop(message);
        return;
      }
      long size = size(message);
      if (size > held && !bytes.reserve(size - held)) {
        refused = true;
        drop(message);
        call.close(Status.RESOURCE_EXHAUSTED.withDescription(bytes.full()), pushback());
        return;
      }
      held = Math.max(held, size);
      super.onMessage(message);
    }

    @Override
    public void onHalfClose() {
      if (!refused) {
        super.onHalfClose();
      }
    }

    @Override
    public void onCancel() {
      bytes.release(held);
      super.onCancel();
    }

    @Override
    public void onComplete() {
      bytes.release(held);
      super.onComplete();
    }
  }

  private static void drop(Object message) {
    if (message instanceof Lent<?> lent) {
      lent.release();
    }
  }

  private static long size(Object message) {
    return switch (message) {
      case Lent<?> lent -> lent.message().getSerializedSize();
      case MessageLite known -> known.getSerializedSize();
      default -> 0;
    };
  }

  private static <Q, A> ServerCall.Listener<Q> refuse(
      ServerCall<Q, A> call, Status status, Metadata trailers) {
    call.close(status, trailers);
    return new ServerCall.Listener<>() {};
  }

  private static Credentials credentials(ServerCall<?, ?> call, Metadata metadata) {
    return new Credentials(
        Optional.ofNullable(metadata.get(AUTHORIZATION)),
        Optional.ofNullable(metadata.get(API_KEY)),
        Credentials.subject(
            Optional.ofNullable(call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION))));
  }

  private <Q, A> ServerCall<Q, A> logged(ServerCall<Q, A> call, String name) {
    long start = System.nanoTime();
    return new SimpleForwardingServerCall<>(call) {
      @Override
      public void close(Status status, Metadata trailers) {
        log.write("grpc", name, status.getCode().name(), start);
        super.close(status, trailers);
      }
    };
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
