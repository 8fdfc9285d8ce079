package dev.strata.gateway.api.oip;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.strata.gateway.InferencePipeline;
import dev.strata.gateway.ServerReadiness;
import dev.strata.gateway.api.CallMetadata;
import dev.strata.gateway.api.GrpcCancellation;
import dev.strata.gateway.api.GrpcErrors;
import dev.strata.gateway.api.HeaderWishes;
import dev.strata.gateway.api.Limits;
import dev.strata.gateway.call.Cancellation;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.Protocol;
import dev.strata.gateway.metrics.RequestMetrics;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelRepository;
import dev.strata.gateway.transport.LendingService;
import dev.strata.gateway.transport.Lent;
import dev.strata.graph.TensorSpec;
import inference.GRPCInferenceServiceGrpc;
import inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceImplBase;
import inference.ModelConfigRequest;
import inference.ModelConfigResponse;
import inference.ModelInferRequest;
import inference.ModelInferResponse;
import inference.ModelMetadataRequest;
import inference.ModelMetadataResponse;
import inference.ModelReadyRequest;
import inference.ModelReadyResponse;
import inference.ModelStatisticsRequest;
import inference.ModelStatisticsResponse;
import inference.ModelStreamInferResponse;
import inference.RepositoryIndexRequest;
import inference.RepositoryIndexResponse;
import inference.RepositoryModelLoadRequest;
import inference.RepositoryModelLoadResponse;
import inference.RepositoryModelUnloadRequest;
import inference.RepositoryModelUnloadResponse;
import inference.ServerLiveRequest;
import inference.ServerLiveResponse;
import inference.ServerMetadataRequest;
import inference.ServerMetadataResponse;
import inference.ServerReadyRequest;
import inference.ServerReadyResponse;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/// The Open Inference Protocol over gRPC. Methods run on the event loop and only hand over; an
/// inference is answered from the worker's thread.
@Singleton
public final class OipGrpcService extends GRPCInferenceServiceImplBase {

  private final InferencePipeline pipeline;
  private final ModelRegistry registry;
  private final ModelRepository repository;
  private final ServerReadiness readiness;
  private final RequestMetrics metrics;
  private final Limits limits;
  private final OipModelStatus status;
  private final ObjectMapper json;

  OipGrpcService(
      InferencePipeline pipeline,
      ModelRegistry registry,
      ModelRepository repository,
      ServerReadiness readiness,
      RequestMetrics metrics,
      Limits limits,
      OipModelStatus status,
      ObjectMapper json) {
    this.pipeline = pipeline;
    this.registry = registry;
    this.repository = repository;
    this.readiness = readiness;
    this.metrics = metrics;
    this.limits = limits;
    this.status = status;
    this.json = json;
  }

  @Override
  public void serverLive(ServerLiveRequest request, StreamObserver<ServerLiveResponse> client) {
    answer(client, () -> ServerLiveResponse.newBuilder().setLive(true).build());
  }

  @Override
  public void serverReady(ServerReadyRequest request, StreamObserver<ServerReadyResponse> client) {
    answer(client, () -> ServerReadyResponse.newBuilder().setReady(readiness.ready()).build());
  }

  @Override
  public void modelReady(ModelReadyRequest request, StreamObserver<ModelReadyResponse> client) {
    answer(
        client,
        () ->
            ModelReadyResponse.newBuilder()
                .setReady(isReady(request.getName(), OipMessages.version(request.getVersion())))
                .build());
  }

  /// The protocol has an unknown model be not ready, which is no error.
  private boolean isReady(String model, Optional<String> version) {
    try {
      return registry.isReady(model, version);
    } catch (InferenceException unknown) {
      return false;
    }
  }

  @Override
  public void serverMetadata(
      ServerMetadataRequest request, StreamObserver<ServerMetadataResponse> client) {
    answer(
        client,
        () ->
            ServerMetadataResponse.newBuilder()
                .setName(OipServer.NAME)
                .setVersion(OipServer.version())
                .addAllExtensions(OipServer.EXTENSIONS)
                .build());
  }

  @Override
  public void modelMetadata(
      ModelMetadataRequest request, StreamObserver<ModelMetadataResponse> client) {
    answer(
        client,
        () -> {
          Optional<String> version = OipMessages.version(request.getVersion());
          ModelCard card = registry.card(request.getName(), version);
          CallMetadata.tellPrecisions(precisions(card));
          return ModelMetadataResponse.newBuilder()
              .setName(card.name())
              .addAllVersions(registry.readyVersions(card.name()))
              .setPlatform(OipServer.PLATFORM)
              .addAllInputs(tensors(card.signature().inputs()))
              .addAllOutputs(tensors(card.signature().outputs()))
              .build();
        });
  }

  @Override
  public void modelConfig(ModelConfigRequest request, StreamObserver<ModelConfigResponse> client) {
    answer(
        client,
        () ->
            ModelConfigResponse.newBuilder()
                .setConfig(
                    status.config(request.getName(), OipMessages.version(request.getVersion())))
                .build());
  }

  @Override
  public void modelStatistics(
      ModelStatisticsRequest request, StreamObserver<ModelStatisticsResponse> client) {
    answer(
        client,
        () -> status.statistics(request.getName(), OipMessages.version(request.getVersion())));
  }

  @Override
  public ServerServiceDefinition bindService() {
    return new LendingService(super.bindService())
        .unary(GRPCInferenceServiceGrpc.getModelInferMethod(), this::infer)
        .streaming(GRPCInferenceServiceGrpc.getModelStreamInferMethod(), this::streamInfer)
        .definition();
  }

  private void infer(Lent<ModelInferRequest> request, StreamObserver<ModelInferResponse> client) {
    HeaderWishes metadata = CallMetadata.wishes();
    OptionalLong deadline = CallMetadata.deadlineNanos();
    Cancellation cancellation = GrpcCancellation.of(client);
    RequestMetrics.Exchange exchange = metrics.exchange(Protocol.GRPC);
    var _ =
        request
            .until(
                () ->
                    pipeline.infer(
                        exchange,
                        () ->
                            OipCodec.request(
                                OipMessages.call(request.message(), metadata, deadline), limits),
                        cancellation))
            .thenApply(result -> exchange.encode(result, OipMessages::response))
            .whenComplete(
                (response, failure) -> {
                  if (failure == null) {
                    answer(client, () -> response);
                  } else {
                    client.onError(GrpcErrors.status(failure));
                  }
                });
  }

  private StreamObserver<Lent<ModelInferRequest>> streamInfer(
      StreamObserver<ModelStreamInferResponse> client) {
    return OipGrpcStream.open(
        pipeline,
        metrics.exchange(Protocol.GRPC),
        (ServerCallStreamObserver<ModelStreamInferResponse>) client,
        CallMetadata.wishes(),
        CallMetadata.deadlineNanos(),
        limits,
        CallMetadata.value("triton_grpc_error").filter("true"::equals).isPresent());
  }

  @Override
  public void repositoryIndex(
      RepositoryIndexRequest request, StreamObserver<RepositoryIndexResponse> client) {
    answer(
        client,
        () -> {
          RepositoryCall.requireOne(request.getRepositoryName());
          RepositoryIndexResponse.Builder index = RepositoryIndexResponse.newBuilder();
          for (OipDocuments.IndexEntry entry :
              OipDocuments.index(registry.entries(), request.getReady())) {
            index.addModels(
                RepositoryIndexResponse.ModelIndex.newBuilder()
                    .setName(entry.name())
                    .setVersion(entry.version())
                    .setState(entry.state())
                    .setReason(entry.reason()));
          }
          return index.build();
        });
  }

  @Override
  public void repositoryModelLoad(
      RepositoryModelLoadRequest request, StreamObserver<RepositoryModelLoadResponse> client) {
    answer(
        client,
        RepositoryModelLoadResponse.getDefaultInstance(),
        () -> {
          RepositoryCall.requireOne(request.getRepositoryName());
          RepositoryCall.loadParameters(request.getParametersMap().keySet());
          return repository.load(request.getModelName());
        });
  }

  @Override
  public void repositoryModelUnload(
      RepositoryModelUnloadRequest request, StreamObserver<RepositoryModelUnloadResponse> client) {
    answer(
        client,
        RepositoryModelUnloadResponse.getDefaultInstance(),
        () -> {
          RepositoryCall.requireOne(request.getRepositoryName());
          RepositoryCall.unloadParameters(request.getParametersMap().keySet());
          return repository.unload(request.getModelName());
        });
  }

  /// Answers when the work is done.
  private static <A> void answer(
      StreamObserver<A> client, A answer, Supplier<CompletableFuture<Void>> begin) {
    CompletableFuture<Void> work;
    try {
      work = begin.get();
    } catch (InferenceException refused) {
      work = CompletableFuture.failedFuture(refused);
    }
    var _ =
        work.whenComplete(
            (_, failure) -> {
              if (failure == null) {
                answer(client, () -> answer);
              } else {
                client.onError(GrpcErrors.status(failure));
              }
            });
  }

  private String precisions(ModelCard card) {
    try {
      return json.writeValueAsString(card.offers());
    } catch (JsonProcessingException defect) {
      throw new AssertionError("precisions of '%s'".formatted(card.name()), defect);
    }
  }

  private static List<ModelMetadataResponse.TensorMetadata> tensors(List<TensorSpec> specs) {
    return specs.stream()
        .map(
            spec ->
                ModelMetadataResponse.TensorMetadata.newBuilder()
                    .setName(spec.name())
                    .setDatatype(spec.type().name())
                    .addAllShape(spec.shape().dims())
                    .build())
        .toList();
  }

  private static <A> void answer(StreamObserver<A> client, Supplier<A> make) {
    A answer;
    try {
      answer = make.get();
    } catch (RuntimeException | AssertionError failure) {
      client.onError(GrpcErrors.status(failure));
      return;
    }
    client.onNext(answer);
    client.onCompleted();
  }
}
