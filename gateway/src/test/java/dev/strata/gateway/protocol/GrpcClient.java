package dev.strata.gateway.protocol;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import inference.GRPCInferenceServiceGrpc;
import inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import inference.InferParameter;
import inference.InferTensorContents;
import inference.ModelInferRequest;
import inference.ModelInferResponse;
import inference.ModelMetadataRequest;
import inference.ModelMetadataResponse;
import inference.ModelReadyRequest;
import inference.RepositoryIndexRequest;
import inference.ServerLiveRequest;
import inference.ServerReadyRequest;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.microprofile.config.ConfigProvider;

/// The generated client, with raw or with typed inputs.
final class GrpcClient implements ProtocolClient {

  private final ManagedChannel channel = channel();
  private final boolean typed;

  GrpcClient(boolean typed) {
    this.typed = typed;
  }

  static ManagedChannel channel() {
    int port = ConfigProvider.getConfig().getValue("strata.grpc.port", Integer.class);
    return ManagedChannelBuilder.forAddress("localhost", port).usePlaintext().build();
  }

  @Override
  public Answer infer(Question question) {
    Metadata headers = new Metadata();
    question.headers().forEach((name, value) -> headers.put(key(name), value));
    GRPCInferenceServiceBlockingStub stub =
        GRPCInferenceServiceGrpc.newBlockingStub(
            ClientInterceptors.intercept(
                channel, MetadataUtils.newAttachHeadersInterceptor(headers)));
    try {
      return given(stub.modelInfer(message(question)));
    } catch (StatusRuntimeException refused) {
      return new Answer.Refused(
          switch (refused.getStatus().getCode()) {
            case INVALID_ARGUMENT -> Answer.Kind.INVALID;
            case NOT_FOUND -> Answer.Kind.NOT_FOUND;
            case UNAVAILABLE -> Answer.Kind.UNAVAILABLE;
            case UNIMPLEMENTED -> Answer.Kind.NOT_OFFERED;
            case RESOURCE_EXHAUSTED -> Answer.Kind.OVERLOADED;
            case DEADLINE_EXCEEDED -> Answer.Kind.TOO_LATE;
            default -> Answer.Kind.INTERNAL;
          },
          String.valueOf(refused.getStatus().getDescription()));
    }
  }

  ModelInferRequest message(Question question) {
    ModelInferRequest.Builder message =
        ModelInferRequest.newBuilder()
            .setModelName(question.model())
            .setModelVersion(question.version().orElse(""))
            .setId(question.id());
    question.parameters().forEach((name, value) -> message.putParameters(name, parameter(value)));
    for (Question.Input input : question.inputs()) {
      ModelInferRequest.InferInputTensor.Builder tensor =
          ModelInferRequest.InferInputTensor.newBuilder()
              .setName(input.name())
              .setDatatype(input.datatype())
              .addAllShape(input.shape());
      if (typed) {
        InferTensorContents.Builder contents = InferTensorContents.newBuilder();
        for (float value : input.values()) {
          contents.addFp32Contents(value);
        }
        tensor.setContents(contents);
      } else {
        message.addRawInputContents(ByteString.copyFrom(bytes(input.values())));
      }
      message.addInputs(tensor);
    }
    for (String output : question.outputs()) {
      message.addOutputs(ModelInferRequest.InferRequestedOutputTensor.newBuilder().setName(output));
    }
    return message.build();
  }

  private static InferParameter parameter(Object value) {
    InferParameter.Builder parameter = InferParameter.newBuilder();
    return switch (value) {
      case Boolean flag -> parameter.setBoolParam(flag).build();
      case Integer number -> parameter.setInt64Param(number).build();
      case Double number -> parameter.setDoubleParam(number).build();
      default -> parameter.setStringParam(value.toString()).build();
    };
  }

  private static Answer given(ModelInferResponse message) {
    Map<String, Tensor> outputs = new LinkedHashMap<>();
    for (int i = 0; i < message.getOutputsCount(); i++) {
      ModelInferResponse.InferOutputTensor output = message.getOutputs(i);
      outputs.put(
          output.getName(),
          new Tensor(
              DataType.valueOf(output.getDatatype()),
              new Shape(output.getShapeList()),
              MemorySegment.ofArray(message.getRawOutputContents(i).toByteArray())));
    }
    return new Answer.Given(
        message.getModelName(),
        message.getModelVersion(),
        message.getId(),
        message.getParametersOrThrow("bits").getInt64Param(),
        message.getParametersOrThrow("requested").getStringParam(),
        message.getParametersOrThrow("bits_reason").getStringParam(),
        message.getParametersOrThrow("queue_us").getInt64Param(),
        message.getParametersOrThrow("compute_us").getInt64Param(),
        outputs);
  }

  @Override
  public boolean live() {
    return stub().serverLive(ServerLiveRequest.getDefaultInstance()).getLive();
  }

  @Override
  public boolean ready() {
    return stub().serverReady(ServerReadyRequest.getDefaultInstance()).getReady();
  }

  @Override
  public boolean modelReady(String model) {
    return stub().modelReady(ModelReadyRequest.newBuilder().setName(model).build()).getReady();
  }

  @Override
  public List<String> describe(String model) {
    ModelMetadataResponse message =
        stub().modelMetadata(ModelMetadataRequest.newBuilder().setName(model).build());
    List<String> lines = new ArrayList<>(message.getVersionsList());
    message.getInputsList().forEach(tensor -> lines.add(line(tensor)));
    message.getOutputsList().forEach(tensor -> lines.add(line(tensor)));
    return lines;
  }

  private static String line(ModelMetadataResponse.TensorMetadata tensor) {
    return tensor.getName() + " " + tensor.getDatatype() + " " + tensor.getShapeList();
  }

  @Override
  public List<String> precisions(String model) {
    AtomicReference<Metadata> headers = new AtomicReference<>();
    var _ =
        GRPCInferenceServiceGrpc.newBlockingStub(
                ClientInterceptors.intercept(
                    channel,
                    MetadataUtils.newCaptureMetadataInterceptor(headers, new AtomicReference<>())))
            .modelMetadata(ModelMetadataRequest.newBuilder().setName(model).build());
    List<String> precisions = new ArrayList<>();
    try {
      for (JsonNode offer :
          new ObjectMapper().readTree(headers.get().get(key("strata-precisions")))) {
        precisions.add(offer.get("bits").asInt() + ":" + offer.get("bytes").asLong());
      }
    } catch (JsonProcessingException malformed) {
      throw new AssertionError(malformed);
    }
    return precisions;
  }

  @Override
  public List<String> index() {
    return stub()
        .repositoryIndex(RepositoryIndexRequest.getDefaultInstance())
        .getModelsList()
        .stream()
        .map(model -> model.getName() + "/" + model.getVersion() + " " + model.getState())
        .toList();
  }

  private GRPCInferenceServiceBlockingStub stub() {
    return GRPCInferenceServiceGrpc.newBlockingStub(channel);
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  static byte[] bytes(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  @Override
  public void close() {
    try {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
