package dev.strata.gateway.api;

import dev.strata.gateway.call.Cancellation;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/// Hears when the client of a gRPC call cancels it, loses its connection or lets its deadline pass.
public final class GrpcCancellation {

  private GrpcCancellation() {}

  /// To be called before the service's method returns.
  public static Cancellation of(StreamObserver<?> client) {
    Cancellation cancellation = new Cancellation();
    ((ServerCallStreamObserver<?>) client).setOnCancelHandler(cancellation::cancel);
    return cancellation;
  }
}
