package dev.strata.gateway.api.oip;

import dev.strata.gateway.InferencePipeline;
import dev.strata.gateway.api.GrpcCancellation;
import dev.strata.gateway.api.GrpcErrors;
import dev.strata.gateway.api.HeaderWishes;
import dev.strata.gateway.api.Limits;
import dev.strata.gateway.call.Cancellation;
import dev.strata.gateway.call.InferenceResult;
import dev.strata.gateway.metrics.RequestMetrics;
import dev.strata.gateway.transport.Lent;
import inference.ModelInferRequest;
import inference.ModelInferResponse;
import inference.ModelStreamInferResponse;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.OptionalLong;

/// One `ModelStreamInfer` call: requests come and are answered in any order, each by its `id`, and
/// an answer that is the last of its request says so. An error is an answer like any other, unless
/// the client wants it to end the call. A client that does not read is not read from.
final class OipGrpcStream implements StreamObserver<Lent<ModelInferRequest>> {

  static final String FINAL = "triton_final_response";

  /// Most requests of one call that are under way.
  private static final int MOST_UNDER_WAY = 32;

  private final InferencePipeline pipeline;
  private final RequestMetrics.Exchange exchange;
  private final ServerCallStreamObserver<ModelStreamInferResponse> client;
  private final HeaderWishes metadata;
  private final OptionalLong deadlineNanos;
  private final Limits limits;
  private final boolean errorsEnd;
  private final Cancellation cancellation;

  /// Guarded by this, as every call of `client` is.
  private int underWay;

  private int owed;
  private boolean halfClosed;
  private boolean over;

  private OipGrpcStream(
      InferencePipeline pipeline,
      RequestMetrics.Exchange exchange,
      ServerCallStreamObserver<ModelStreamInferResponse> client,
      HeaderWishes metadata,
      OptionalLong deadlineNanos,
      Limits limits,
      boolean errorsEnd) {
    this.pipeline = pipeline;
    this.exchange = exchange;
    this.client = client;
    this.metadata = metadata;
    this.deadlineNanos = deadlineNanos;
    this.limits = limits;
    this.errorsEnd = errorsEnd;
    this.cancellation = GrpcCancellation.of(client);
  }

  /// To be called before the service's method returns.
  ///
  /// @param errorsEnd whether the first error ends the call with its status
  static OipGrpcStream open(
      InferencePipeline pipeline,
      RequestMetrics.Exchange exchange,
      ServerCallStreamObserver<ModelStreamInferResponse> client,
      HeaderWishes metadata,
      OptionalLong deadlineNanos,
      Limits limits,
      boolean errorsEnd) {
    OipGrpcStream stream =
        new OipGrpcStream(pipeline, exchange, client, metadata, deadlineNanos, limits, errorsEnd);
    client.disableAutoRequest();
    client.setOnReadyHandler(stream::readMore);
    client.request(MOST_UNDER_WAY);
    return stream;
  }

  @Override
  public void onNext(Lent<ModelInferRequest> lent) {
    synchronized (this) {
      underWay++;
    }
    ModelInferRequest request = lent.message();
    var _ =
        lent.until(
                () ->
                    pipeline.stream(
                        exchange,
                        () ->
                            OipCodec.request(
                                OipMessages.call(request, metadata, deadlineNanos), limits),
                        cancellation,
                        this::tell))
            .whenComplete(
                (result, failure) -> {
                  if (failure == null) {
                    tell(result);
                  } else {
                    fail(request, GrpcErrors.status(failure));
                  }
                  finished();
                });
  }

  @Override
  public void onError(Throwable gone) {
    cancellation.cancel();
  }

  @Override
  public synchronized void onCompleted() {
    halfClosed = true;
    endIfDone();
  }

  private synchronized void tell(InferenceResult result) {
    ModelInferResponse response =
        exchange.encode(result, OipMessages::response).toBuilder()
            .putParameters(FINAL, OipMessages.flag(result.last()))
            .build();
    send(ModelStreamInferResponse.newBuilder().setInferResponse(response).build());
  }

  private synchronized void fail(ModelInferRequest request, StatusRuntimeException failure) {
    if (over) {
      return;
    }
    if (errorsEnd) {
      over = true;
      client.onError(failure);
      cancellation.cancel();
      return;
    }
    send(
        ModelStreamInferResponse.newBuilder()
            .setErrorMessage(String.valueOf(failure.getStatus().getDescription()))
            .setInferResponse(
                ModelInferResponse.newBuilder()
                    .setModelName(request.getModelName())
                    .setModelVersion(request.getModelVersion())
                    .setId(request.getId())
                    .putParameters(FINAL, OipMessages.flag(true)))
            .build());
  }

  private void send(ModelStreamInferResponse response) {
    if (!over && !client.isCancelled()) {
      client.onNext(response);
    }
  }

  private synchronized void finished() {
    underWay--;
    owed++;
    readMore();
    endIfDone();
  }

  private synchronized void readMore() {
    if (owed > 0 && !over && client.isReady()) {
      client.request(owed);
      owed = 0;
    }
  }

  private void endIfDone() {
    if (halfClosed && underWay == 0 && !over) {
      over = true;
      if (!client.isCancelled()) {
        client.onCompleted();
      }
    }
  }
}
