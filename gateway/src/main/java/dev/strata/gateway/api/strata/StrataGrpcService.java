package dev.strata.gateway.api.strata;

import dev.strata.gateway.InferencePipeline;
import dev.strata.gateway.api.GrpcErrors;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.Protocol;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.v1.ListPrecisionsRequest;
import dev.strata.v1.ListPrecisionsResponse;
import dev.strata.v1.PredictRequest;
import dev.strata.v1.PredictResponse;
import dev.strata.v1.StrataGrpc.StrataImplBase;
import io.grpc.stub.StreamObserver;
import io.quarkus.grpc.GrpcService;

/// Strata's own API over gRPC. Methods run on the event loop and only hand over.
@GrpcService
public final class StrataGrpcService extends StrataImplBase {

  private final InferencePipeline pipeline;
  private final ModelRegistry registry;

  StrataGrpcService(InferencePipeline pipeline, ModelRegistry registry) {
    this.pipeline = pipeline;
    this.registry = registry;
  }

  @Override
  public void predict(PredictRequest request, StreamObserver<PredictResponse> client) {
    var _ =
        pipeline
            .infer(Protocol.GRPC, () -> StrataCodec.request(request))
            .thenApply(StrataCodec::response)
            .whenComplete(
                (response, failure) -> {
                  if (failure != null) {
                    client.onError(GrpcErrors.status(failure));
                    return;
                  }
                  client.onNext(response);
                  client.onCompleted();
                });
  }

  @Override
  public void listPrecisions(
      ListPrecisionsRequest request, StreamObserver<ListPrecisionsResponse> client) {
    ModelCard card;
    try {
      card = registry.card(request.getModel(), StrataCodec.version(request.getVersion()));
    } catch (InferenceException refused) {
      client.onError(GrpcErrors.status(refused));
      return;
    }
    client.onNext(StrataCodec.precisions(card));
    client.onCompleted();
  }
}
