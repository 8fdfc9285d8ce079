package dev.strata.gateway.api;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Deadline;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import jakarta.inject.Singleton;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/// Metadata of a gRPC call in both directions: `strata-bits` and its like say how to serve it, and
/// `strata-precisions` tells a client of the Open Inference Protocol, whose messages have no room
/// for it, what widths a model has.
@Singleton
public final class CallMetadata implements ServerInterceptor {

  private static final Metadata.Key<String> PRECISIONS = key("strata-precisions");
  private static final Context.Key<Metadata> REQUEST = Context.key("strata-request");
  private static final Context.Key<Metadata> RESPONSE = Context.key("strata-response");

  /// @return what the current call's metadata wish
  public static HeaderWishes wishes() {
    return HeaderWishes.of(CallMetadata::value);
  }

  /// @return the value of one entry of the current call's metadata
  public static Optional<String> value(String name) {
    return Optional.ofNullable(REQUEST.get()).map(metadata -> metadata.get(key(name)));
  }

  /// @return the current call's deadline in terms of [System#nanoTime]
  public static OptionalLong deadlineNanos() {
    Deadline deadline = Context.current().getDeadline();
    return deadline == null
        ? OptionalLong.empty()
        : OptionalLong.of(System.nanoTime() + deadline.timeRemaining(TimeUnit.NANOSECONDS));
  }

  /// Sends JSON along with the current call's answer.
  public static void tellPrecisions(String json) {
    Optional.ofNullable(RESPONSE.get()).ifPresent(metadata -> metadata.put(PRECISIONS, json));
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata request, ServerCallHandler<Q, A> next) {
    Metadata response = new Metadata();
    Context context = Context.current().withValue(REQUEST, request).withValue(RESPONSE, response);
    ServerCall<Q, A> answering =
        new SimpleForwardingServerCall<>(call) {
          @Override
          public void sendHeaders(Metadata headers) {
            headers.merge(response);
            super.sendHeaders(headers);
          }
        };
    return Contexts.interceptCall(context, answering, request, next);
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
