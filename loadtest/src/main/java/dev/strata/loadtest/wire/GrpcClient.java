package dev.strata.loadtest.wire;

import com.google.protobuf.UnsafeByteOperations;
import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.scenario.Payload;
import inference.GRPCInferenceServiceGrpc;
import inference.InferParameter;
import inference.ModelInferRequest;
import inference.ModelInferResponse;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/// The Open Inference Protocol over gRPC, tensors in raw form.
public final class GrpcClient implements Client {
  private static final int MAX_MESSAGE_BYTES = 256 << 20;

  private final ManagedChannel channel;
  private final GRPCInferenceServiceGrpc.GRPCInferenceServiceStub stub;

  /// @param address `host:port`
  public GrpcClient(String address) {
    channel =
        NettyChannelBuilder.forTarget(address)
            .usePlaintext()
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .directExecutor()
            .build();
    stub = GRPCInferenceServiceGrpc.newStub(channel);
  }

  @Override
  public void send(Call call, Payload payload, Consumer<Outcome> ended) {
    stub.modelInfer(request(call, payload), new Unary(ended));
  }

  private static ModelInferRequest request(Call call, Payload payload) {
    ModelInferRequest.Builder request =
        ModelInferRequest.newBuilder()
            .setModelName(call.model())
            .addInputs(
                ModelInferRequest.InferInputTensor.newBuilder()
                    .setName(payload.name())
                    .setDatatype(payload.datatype())
                    .addAllShape(payload.shape()))
            .addRawInputContents(UnsafeByteOperations.unsafeWrap(payload.data()));
    call.parameters().forEach((name, value) -> request.putParameters(name, parameter(value)));
    return request.build();
  }

  private static InferParameter parameter(Object value) {
    InferParameter.Builder parameter = InferParameter.newBuilder();
    return switch (value) {
      case Boolean flag -> parameter.setBoolParam(flag).build();
      case Number number when number.longValue() == number.doubleValue() ->
          parameter.setInt64Param(number.longValue()).build();
      case Number number -> parameter.setDoubleParam(number.doubleValue()).build();
      default -> parameter.setStringParam(value.toString()).build();
    };
  }

  static Outcome outcome(ModelInferResponse response) {
    if (response.getRawOutputContentsCount() != response.getOutputsCount()) {
      return new Outcome.Failed("an answer without raw contents");
    }
    OutputDigest digest = new OutputDigest();
    for (int i = 0; i < response.getOutputsCount(); i++) {
      ModelInferResponse.InferOutputTensor output = response.getOutputs(i);
      digest.add(
          output.getName(),
          output.getDatatype(),
          output.getShapeList(),
          response.getRawOutputContents(i).asReadOnlyByteBuffer());
    }
    Map<String, InferParameter> parameters = response.getParametersMap();
    return new Outcome.Answered(
        response.getModelVersion(),
        (int) number(parameters, "bits"),
        text(parameters, "bits_reason"),
        number(parameters, "queue_us"),
        number(parameters, "compute_us"),
        digest.hex());
  }

  private static long number(Map<String, InferParameter> parameters, String name) {
    InferParameter value = parameters.get(name);
    return value == null ? 0 : value.getInt64Param();
  }

  private static String text(Map<String, InferParameter> parameters, String name) {
    InferParameter value = parameters.get(name);
    return value == null ? "" : value.getStringParam();
  }

  /// Statuses by which a server says no; all others mean that something broke.
  static Outcome outcome(Throwable failure) {
    Status status = Status.fromThrowable(failure);
    String message = String.valueOf(status.getDescription());
    return switch (status.getCode()) {
      case RESOURCE_EXHAUSTED,
          DEADLINE_EXCEEDED,
          INVALID_ARGUMENT,
          NOT_FOUND,
          UNIMPLEMENTED,
          UNAUTHENTICATED,
          PERMISSION_DENIED,
          FAILED_PRECONDITION ->
          new Outcome.Refused(status.getCode().name(), message);
      // A broken connection is UNAVAILABLE too; only a server's own words come without a cause.
      case UNAVAILABLE ->
          status.getCause() == null
              ? new Outcome.Refused(status.getCode().name(), message)
              : new Outcome.Failed("UNAVAILABLE: " + status.getCause());
      default -> new Outcome.Failed("%s: %s".formatted(status.getCode(), message));
    };
  }

  /// The first event is the end.
  private static final class Unary implements StreamObserver<ModelInferResponse> {
    private final AtomicReference<Consumer<Outcome>> ended;

    Unary(Consumer<Outcome> ended) {
      this.ended = new AtomicReference<>(ended);
    }

    @Override
    public void onNext(ModelInferResponse response) {
      end(outcome(response));
    }

    @Override
    public void onError(Throwable failure) {
      end(outcome(failure));
    }

    @Override
    public void onCompleted() {
      end(new Outcome.Failed("the call ended without an answer"));
    }

    private void end(Outcome outcome) {
      Consumer<Outcome> told = ended.getAndSet(null);
      if (told != null) {
        told.accept(outcome);
      }
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
    try {
      channel.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
