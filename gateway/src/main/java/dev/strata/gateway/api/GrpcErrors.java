package dev.strata.gateway.api;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/// Failures as gRPC statuses; the text never holds more than the caller may know.
public final class GrpcErrors {

  private static final int MOST_CHARACTERS = 1000;
  private static final Metadata.Key<String> RETRY_PUSHBACK =
      Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);

  private GrpcErrors() {}

  public static StatusRuntimeException status(Throwable failure) {
    return switch (Failures.cause(failure)) {
      case InferenceException refused ->
          status(refused.code())
              .withDescription(excerpt(refused.getMessage()))
              .asRuntimeException(trailers(refused));
      case StatusRuntimeException status -> status;
      case Throwable defect ->
          Status.INTERNAL.withDescription(Failures.defect(defect)).asRuntimeException();
    };
  }

  /// Trailers have a limit too, and messages repeat what a client sent.
  private static String excerpt(String message) {
    return message.length() <= MOST_CHARACTERS
        ? message
        : message.substring(0, MOST_CHARACTERS) + "…";
  }

  /// When to try again, as clients with a retry policy understand it; they are told not to where
  /// it would not help.
  private static Metadata trailers(InferenceException refused) {
    Metadata trailers = new Metadata();
    refused
        .retryAfter()
        .ifPresent(
            after -> trailers.put(RETRY_PUSHBACK, Long.toString(Math.max(1, after.toMillis()))));
    if (refused.code() == ErrorCode.DEADLINE_EXCEEDED) {
      trailers.put(RETRY_PUSHBACK, "-1");
    }
    return trailers;
  }

  private static Status status(ErrorCode code) {
    return switch (code) {
      case INVALID_REQUEST, PRECISION_UNAVAILABLE -> Status.INVALID_ARGUMENT;
      case MODEL_NOT_FOUND -> Status.NOT_FOUND;
      case MODEL_NOT_READY, QUEUE_TIMEOUT, SHUTTING_DOWN -> Status.UNAVAILABLE;
      case OVERLOADED, TOO_LARGE -> Status.RESOURCE_EXHAUSTED;
      case DEADLINE_EXCEEDED -> Status.DEADLINE_EXCEEDED;
      case CANCELLED -> Status.CANCELLED;
      case NOT_OFFERED -> Status.UNIMPLEMENTED;
    };
  }
}
