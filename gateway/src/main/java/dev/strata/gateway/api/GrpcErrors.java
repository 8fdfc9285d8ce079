package dev.strata.gateway.api;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/// Failures as gRPC statuses; the text never holds more than the caller may know.
public final class GrpcErrors {

  private GrpcErrors() {}

  public static StatusRuntimeException status(Throwable failure) {
    return switch (Failures.cause(failure)) {
      case InferenceException refused ->
          status(refused.code()).withDescription(refused.getMessage()).asRuntimeException();
      case StatusRuntimeException status -> status;
      case Throwable defect ->
          Status.INTERNAL.withDescription(Failures.defect(defect)).asRuntimeException();
    };
  }

  private static Status status(ErrorCode code) {
    return switch (code) {
      case INVALID_REQUEST, PRECISION_UNAVAILABLE -> Status.INVALID_ARGUMENT;
      case MODEL_NOT_FOUND -> Status.NOT_FOUND;
      case MODEL_NOT_READY, QUEUE_FULL, SHUTTING_DOWN -> Status.UNAVAILABLE;
      case TOO_LARGE -> Status.RESOURCE_EXHAUSTED;
      case NOT_OFFERED -> Status.UNIMPLEMENTED;
    };
  }
}
