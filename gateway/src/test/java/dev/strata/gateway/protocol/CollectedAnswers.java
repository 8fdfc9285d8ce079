package dev.strata.gateway.protocol;

import inference.ModelStreamInferResponse;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// What a stream brought, and how it ended.
final class CollectedAnswers implements StreamObserver<ModelStreamInferResponse> {

  private final List<ModelStreamInferResponse> messages = new ArrayList<>();
  private final CompletableFuture<Status> ended = new CompletableFuture<>();

  /// To be asked when the stream has ended.
  List<ModelStreamInferResponse> messages() {
    return messages;
  }

  CompletableFuture<Status> ended() {
    return ended;
  }

  @Override
  public void onNext(ModelStreamInferResponse message) {
    messages.add(message);
  }

  @Override
  public void onError(Throwable failure) {
    ended.complete(Status.fromThrowable(failure));
  }

  @Override
  public void onCompleted() {
    ended.complete(Status.OK);
  }
}
