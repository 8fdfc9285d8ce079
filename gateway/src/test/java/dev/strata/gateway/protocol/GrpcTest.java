package dev.strata.gateway.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.strata.v1.Auto;
import dev.strata.v1.BitRange;
import dev.strata.v1.Cascade;
import dev.strata.v1.LatencyBudget;
import dev.strata.v1.ListPrecisionsRequest;
import dev.strata.v1.ListPrecisionsResponse;
import dev.strata.v1.PredictLadderRequest;
import dev.strata.v1.PredictRequest;
import dev.strata.v1.PredictResponse;
import dev.strata.v1.Priority;
import dev.strata.v1.StrataGrpc;
import dev.strata.v1.StrataGrpc.StrataBlockingStub;
import dev.strata.v1.Tensor;
import inference.GRPCInferenceServiceGrpc;
import inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import inference.InferParameter;
import inference.InferTensorContents;
import inference.ModelInferRequest;
import inference.ModelInferResponse;
import inference.ModelMetadataRequest;
import inference.RepositoryIndexRequest;
import inference.ServerMetadataRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// What only gRPC has: message forms, sizes, our own service, health.
@QuarkusTest
@QuarkusTestResource(TinyRepository.class)
class GrpcTest {

  private ManagedChannel channel;
  private GRPCInferenceServiceBlockingStub oip;
  private StrataBlockingStub strata;

  @BeforeEach
  void connect() throws InterruptedException {
    TinyRepository.awaitLoaded();
    channel = GrpcClient.channel();
    oip = GRPCInferenceServiceGrpc.newBlockingStub(channel);
    strata = StrataGrpc.newBlockingStub(channel);
  }

  @AfterEach
  void disconnect() {
    channel.shutdownNow();
  }

  @Test
  void theServerNamesWhatItCanDo() {
    assertEquals(
        List.of(
            "binary_tensor_data",
            "classification",
            "model_configuration",
            "model_repository",
            "parameters",
            "statistics",
            "strata_precision"),
        oip.serverMetadata(ServerMetadataRequest.getDefaultInstance()).getExtensionsList());
  }

  @Test
  void unknownModelsHaveNoMetadata() {
    refused(
        Status.Code.NOT_FOUND,
        "'unknown'",
        () -> oip.modelMetadata(ModelMetadataRequest.newBuilder().setName("unknown").build()));
  }

  @Test
  void anOutputMayBeItsHighestClasses() {
    ModelInferResponse answer = oip.modelInfer(classes("y", 9));
    assertEquals("BYTES", answer.getOutputs(0).getDatatype());
    assertEquals(List.of(1L, 4L), answer.getOutputs(0).getShapeList());
    String text = answer.getRawOutputContents(0).toStringUtf8();
    for (String label : List.of(":0:a", ":1:b", ":2:c", ":3:d")) {
      assertTrue(text.contains(label), text);
    }
    refused(
        Status.Code.INVALID_ARGUMENT,
        "classification: got -1, expected at least 1",
        () -> oip.modelInfer(classes("y", -1)));
  }

  private static ModelInferRequest classes(String output, long count) {
    return request(16).toBuilder()
        .addOutputs(
            ModelInferRequest.InferRequestedOutputTensor.newBuilder()
                .setName(output)
                .putParameters(
                    "classification", InferParameter.newBuilder().setInt64Param(count).build()))
        .build();
  }

  @Test
  void rawAndTypedMustNotBeMixed() {
    ModelInferRequest raw = request(16);
    ModelInferRequest.Builder mixed = raw.toBuilder();
    mixed
        .getInputsBuilder(0)
        .setContents(InferTensorContents.newBuilder().addFp32Contents(1).build());
    refused(Status.Code.INVALID_ARGUMENT, "one of them", () -> oip.modelInfer(mixed.build()));
    refused(
        Status.Code.INVALID_ARGUMENT,
        "raw_input_contents: got 2 entries, expected 1",
        () -> oip.modelInfer(raw.toBuilder().addRawInputContents(ByteString.EMPTY).build()));
    refused(
        Status.Code.INVALID_ARGUMENT,
        "contents: got 0 elements, expected 16",
        () -> oip.modelInfer(raw.toBuilder().clearRawInputContents().build()));
  }

  @Test
  void theAnswerIsRawEvenIfTheQuestionWasTyped() {
    ModelInferRequest.Builder typed = request(16).toBuilder().clearRawInputContents();
    InferTensorContents.Builder contents = InferTensorContents.newBuilder();
    for (int i = 0; i < 16; i++) {
      contents.addFp32Contents(i);
    }
    typed.getInputsBuilder(0).setContents(contents);
    ModelInferResponse answer = oip.modelInfer(typed.build());
    assertEquals(1, answer.getRawOutputContentsCount());
    assertEquals(false, answer.getOutputs(0).hasContents());
  }

  @Test
  void messagesOverTheLimitAreRefused() {
    refused(
        Status.Code.RESOURCE_EXHAUSTED,
        "",
        () ->
            oip.modelInfer(
                request(16).toBuilder().setId("x".repeat(TinyRepository.MAX_BYTES)).build()));
  }

  @Test
  void thereIsOneRepository() {
    refused(
        Status.Code.UNIMPLEMENTED,
        "repository_name",
        () ->
            oip.repositoryIndex(
                RepositoryIndexRequest.newBuilder().setRepositoryName("other").build()));
  }

  @Test
  void ourOwnServiceAnswersLikeTheOpenOne() {
    PredictRequest.Builder request =
        PredictRequest.newBuilder()
            .setModel("tiny")
            .setId("mark")
            .addInputs(
                Tensor.newBuilder()
                    .setName("x")
                    .setDatatype("FP32")
                    .addShape(1)
                    .addShape(16)
                    .setData(request(16).getRawInputContents(0)));
    for (int bits = 1; bits <= 8; bits++) {
      PredictResponse answer = strata.predict(request.setBits(bits).build());
      ModelInferRequest.Builder open = request(16).toBuilder();
      open.putParameters("bits", inference.InferParameter.newBuilder().setInt64Param(bits).build());
      assertEquals(bits, answer.getBits());
      assertEquals("mark", answer.getId());
      assertEquals(
          oip.modelInfer(open.build()).getRawOutputContents(0), answer.getOutputs(0).getData());
    }
    assertEquals(8, strata.predict(request.clearPrecision().build()).getBits());
    assertEquals(8, strata.predict(request.setAuto(Auto.getDefaultInstance()).build()).getBits());
    PredictResponse between =
        strata.predict(
            request.setBetween(BitRange.newBuilder().setMinBits(2).setMaxBits(5)).build());
    assertEquals(5, between.getBits());
    assertEquals("2-5", between.getRequested());
    assertEquals("widest", between.getBitsReason());
    PredictResponse within =
        strata.predict(
            request
                .setPriority(Priority.PRIORITY_HIGH)
                .setWithin(
                    LatencyBudget.newBuilder()
                        .setMicros(1)
                        .setRange(BitRange.newBuilder().setMinBits(2)))
                .build());
    assertEquals(2, within.getBits());
    assertEquals("budget", within.getBitsReason());
    refused(
        Status.Code.INVALID_ARGUMENT,
        "within.micros: got 0",
        () -> strata.predict(request.setWithin(LatencyBudget.getDefaultInstance()).build()));
    refused(
        Status.Code.INVALID_ARGUMENT,
        "between.min_bits and max_bits: got 6 and 4",
        () ->
            strata.predict(
                request.setBetween(BitRange.newBuilder().setMinBits(6).setMaxBits(4)).build()));
    refused(
        Status.Code.INVALID_ARGUMENT,
        "has none",
        () -> strata.predict(request.setCascade(Cascade.getDefaultInstance()).build()));
    refused(Status.Code.INVALID_ARGUMENT, "bits", () -> strata.predict(request.setBits(9).build()));
    refused(
        Status.Code.INVALID_ARGUMENT,
        "twice",
        () -> strata.predict(request.setBits(4).addInputs(request.getInputs(0)).build()));
  }

  @Test
  void aLadderIsAnsweredRungByRung() {
    PredictRequest request =
        PredictRequest.newBuilder()
            .setModel("tiny")
            .addInputs(
                Tensor.newBuilder()
                    .setName("x")
                    .setDatatype("FP32")
                    .addShape(1)
                    .addShape(16)
                    .setData(request(16).getRawInputContents(0)))
            .build();
    List<String> answers = new ArrayList<>();
    strata
        .predictLadder(
            PredictLadderRequest.newBuilder()
                .setRequest(request)
                .addAllBits(List.of(2, 4, 8))
                .build())
        .forEachRemaining(answer -> answers.add(answer.getBits() + " " + answer.getLast()));
    assertEquals(List.of("2 false", "4 false", "8 true"), answers);
    refused(
        Status.Code.INVALID_ARGUMENT,
        "ascending",
        () ->
            strata
                .predictLadder(
                    PredictLadderRequest.newBuilder()
                        .setRequest(request)
                        .addAllBits(List.of(4, 2))
                        .build())
                .next());
  }

  @Test
  void ourOwnServiceListsPrecisions() {
    ListPrecisionsResponse list =
        strata.listPrecisions(ListPrecisionsRequest.newBuilder().setModel("tiny").build());
    assertEquals("2", list.getVersion());
    assertEquals(8, list.getDefaultBits());
    assertEquals(8, list.getPrecisionsCount());
    assertEquals(0.75, list.getPrecisions(3).getQualityOrThrow("accuracy"));
    refused(
        Status.Code.NOT_FOUND,
        "'unknown'",
        () ->
            strata.listPrecisions(ListPrecisionsRequest.newBuilder().setModel("unknown").build()));
  }

  @Test
  void theHealthServiceKnowsTheServerAndTheService() {
    for (String service : List.of("", "inference.GRPCInferenceService", "strata.v1.Strata")) {
      assertEquals(
          ServingStatus.SERVING,
          HealthGrpc.newBlockingStub(channel)
              .check(HealthCheckRequest.newBuilder().setService(service).build())
              .getStatus());
    }
  }

  private static ModelInferRequest request(int values) {
    return ModelInferRequest.newBuilder()
        .setModelName("tiny")
        .addInputs(
            ModelInferRequest.InferInputTensor.newBuilder()
                .setName("x")
                .setDatatype("FP32")
                .addShape(1)
                .addShape(values))
        .addRawInputContents(ByteString.copyFrom(new byte[values * Float.BYTES]))
        .build();
  }

  private static void refused(Status.Code code, String reason, Executable call) {
    StatusRuntimeException refused = assertThrows(StatusRuntimeException.class, call);
    assertEquals(code, refused.getStatus().getCode());
    String text = String.valueOf(refused.getStatus().getDescription());
    assertTrue(text.contains(reason), text);
  }
}
