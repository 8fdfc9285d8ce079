package dev.strata.gateway.api.strata;

import dev.strata.gateway.InferencePipeline;
import dev.strata.gateway.api.CallMetadata;
import dev.strata.gateway.api.GrpcCancellation;
import dev.strata.gateway.api.GrpcErrors;
import dev.strata.gateway.api.HeaderWishes;
import dev.strata.gateway.api.Limits;
import dev.strata.gateway.call.Cancellation;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.InferenceResult;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.Protocol;
import dev.strata.gateway.metrics.RequestMetrics;
import dev.strata.gateway.metrics.RequestStatistics;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelRepository;
import dev.strata.gateway.transport.LendingService;
import dev.strata.gateway.transport.Lent;
import dev.strata.v1.ListModelsRequest;
import dev.strata.v1.ListModelsResponse;
import dev.strata.v1.ListPrecisionsRequest;
import dev.strata.v1.ListPrecisionsResponse;
import dev.strata.v1.LoadModelRequest;
import dev.strata.v1.LoadModelResponse;
import dev.strata.v1.PredictLadderRequest;
import dev.strata.v1.PredictRequest;
import dev.strata.v1.PredictResponse;
import dev.strata.v1.StatisticsRequest;
import dev.strata.v1.StatisticsResponse;
import dev.strata.v1.StrataGrpc;
import dev.strata.v1.StrataGrpc.StrataImplBase;
import dev.strata.v1.UnloadModelRequest;
import dev.strata.v1.UnloadModelResponse;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.StreamObserver;
import jakarta.inject.Singleton;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;

/// Strata's own API over gRPC. Methods run on the event loop and only hand over.
@Singleton
public final class StrataGrpcService extends StrataImplBase {

  private final InferencePipeline pipeline;
  private final ModelRegistry registry;
  private final ModelRepository repository;
  private final Limits limits;
  private final RequestMetrics metrics;
  private final RequestStatistics statistics;

  StrataGrpcService(
      InferencePipeline pipeline,
      ModelRegistry registry,
      ModelRepository repository,
      Limits limits,
      RequestMetrics metrics,
      RequestStatistics statistics) {
    this.pipeline = pipeline;
    this.registry = registry;
    this.repository = repository;
    this.limits = limits;
    this.metrics = metrics;
    this.statistics = statistics;
  }

  @Override
  public ServerServiceDefinition bindService() {
    return new LendingService(super.bindService())
        .unary(StrataGrpc.getPredictMethod(), this::answer)
        .answering(StrataGrpc.getPredictLadderMethod(), this::climb)
        .definition();
  }

  private void answer(Lent<PredictRequest> request, StreamObserver<PredictResponse> client) {
    HeaderWishes metadata = CallMetadata.wishes();
    OptionalLong deadline = CallMetadata.deadlineNanos();
    RequestMetrics.Exchange exchange = metrics.exchange(Protocol.GRPC);
    Cancellation cancellation = GrpcCancellation.of(client);
    finish(
        client,
        exchange,
        request.until(
            () ->
                pipeline.infer(
                    exchange,
                    () -> StrataCodec.request(request.message(), metadata, deadline, limits),
                    cancellation)));
  }

  private void climb(Lent<PredictLadderRequest> request, StreamObserver<PredictResponse> client) {
    HeaderWishes metadata = CallMetadata.wishes();
    OptionalLong deadline = CallMetadata.deadlineNanos();
    RequestMetrics.Exchange exchange = metrics.exchange(Protocol.GRPC);
    Cancellation cancellation = GrpcCancellation.of(client);
    finish(
        client,
        exchange,
        request.until(
            () ->
                pipeline.stream(
                    exchange,
                    () -> StrataCodec.request(request.message(), metadata, deadline, limits),
                    cancellation,
                    result -> client.onNext(exchange.encode(result, StrataCodec::response)))));
  }

  private void finish(
      StreamObserver<PredictResponse> client,
      RequestMetrics.Exchange exchange,
      CompletableFuture<InferenceResult> answer) {
    var _ =
        answer
            .thenApply(result -> exchange.encode(result, StrataCodec::response))
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
  public void statistics(StatisticsRequest request, StreamObserver<StatisticsResponse> client) {
    StatisticsResponse response;
    try {
      ModelCard card = registry.card(request.getModel(), StrataCodec.version(request.getVersion()));
      response = StrataCodec.statistics(card, statistics);
    } catch (InferenceException refused) {
      client.onError(GrpcErrors.status(refused));
      return;
    }
    client.onNext(response);
    client.onCompleted();
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

  @Override
  public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> client) {
    client.onNext(StrataCodec.models(registry.entries()));
    client.onCompleted();
  }

  @Override
  public void loadModel(LoadModelRequest request, StreamObserver<LoadModelResponse> client) {
    answer(repository.load(request.getModel()), LoadModelResponse.getDefaultInstance(), client);
  }

  @Override
  public void unloadModel(UnloadModelRequest request, StreamObserver<UnloadModelResponse> client) {
    answer(repository.unload(request.getModel()), UnloadModelResponse.getDefaultInstance(), client);
  }

  private static <A> void answer(CompletableFuture<Void> work, A answer, StreamObserver<A> client) {
    var _ =
        work.whenComplete(
            (_, failure) -> {
              if (failure != null) {
                client.onError(GrpcErrors.status(failure));
                return;
              }
              client.onNext(answer);
              client.onCompleted();
            });
  }
}
