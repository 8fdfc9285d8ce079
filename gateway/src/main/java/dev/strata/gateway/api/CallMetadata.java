package dev.strata.gateway.api;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.quarkus.grpc.GlobalInterceptor;
import jakarta.inject.Singleton;
import java.util.Optional;

/// Metadata of a gRPC call in both directions: `strata-bits` asks for a precision, and
/// `strata-precisions` tells a client of the Open Inference Protocol, whose messages have no room
/// for it, what widths a model has.
@Singleton
@GlobalInterceptor
public final class CallMetadata implements ServerInterceptor {

  private static final Metadata.Key<String> BITS = key("strata-bits");
  private static final Metadata.Key<String> PRECISIONS = key("strata-precisions");
  private static final Context.Key<Metadata> REQUEST = Context.key("strata-request");
  private static final Context.Key<Metadata> RESPONSE = Context.key("strata-response");

  /// @return the precision the current call's metadata asks for
  public static Optional<String> bits() {
    return Optional.ofNullable(REQUEST.get()).map(metadata -> metadata.get(BITS));
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
