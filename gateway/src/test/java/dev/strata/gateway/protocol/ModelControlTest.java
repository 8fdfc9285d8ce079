package dev.strata.gateway.protocol;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.v1.ListModelsRequest;
import dev.strata.v1.ListPrecisionsRequest;
import dev.strata.v1.LoadModelRequest;
import dev.strata.v1.ModelVersion;
import dev.strata.v1.StrataGrpc;
import dev.strata.v1.StrataGrpc.StrataBlockingStub;
import dev.strata.v1.UnloadModelRequest;
import inference.GRPCInferenceServiceGrpc;
import inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import inference.ModelReadyRequest;
import inference.ModelRepositoryParameter;
import inference.RepositoryIndexRequest;
import inference.RepositoryModelLoadRequest;
import inference.RepositoryModelUnloadRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// Loading and unloading over every protocol, under explicit control.
@QuarkusTest
@QuarkusTestResource(value = ExplicitRepository.class, restrictToAnnotatedClass = true)
class ModelControlTest {

  private ManagedChannel channel;
  private GRPCInferenceServiceBlockingStub oip;
  private StrataBlockingStub strata;

  @BeforeEach
  void connect() throws InterruptedException {
    channel = GrpcClient.channel();
    oip = GRPCInferenceServiceGrpc.newBlockingStub(channel);
    strata = StrataGrpc.newBlockingStub(channel);
    TinyRepository.awaitLoaded();
  }

  @AfterEach
  void disconnect() {
    channel.shutdownNow();
  }

  @Test
  void modelsComeAndGoOverRest() {
    given().get("/v2/models").then().body("models", equalTo(List.of("conv")));
    given().post("/v2/repository/models/tiny/load").then().statusCode(200);
    given().get("/v2/models/tiny").then().body("versions", equalTo(List.of("1", "2")));
    given()
        .body("{\"ready\": true}")
        .post("/v2/repository/index")
        .then()
        .body("name", equalTo(List.of("conv", "tiny", "tiny")))
        .body("reason[0]", equalTo(""));
    given()
        .body("{\"parameters\": {\"unload_dependents\": true}}")
        .post("/v2/repository/models/tiny/unload")
        .then()
        .statusCode(200);
    given()
        .get("/v2/models/tiny/ready")
        .then()
        .statusCode(503)
        .body("error", containsString("has been unloaded"));
    given().post("/v2/repository/models/unknown/load").then().statusCode(404);
    given()
        .post("/v2/repository/models/broken/load")
        .then()
        .statusCode(503)
        .body("error", containsString("could not be loaded"));
    for (String body :
        List.of(
            "{\"parameters\": {\"config\": \"{}\"}}",
            "{\"parameters\": {\"file:1/model.strata\": \"AA==\"}}",
            "{\"parameters\": 1}",
            "[]",
            "{")) {
      given().body(body).post("/v2/repository/models/tiny/load").then().statusCode(400);
    }
  }

  @Test
  void modelsComeAndGoOverGrpc() {
    var _ =
        oip.repositoryModelLoad(
            RepositoryModelLoadRequest.newBuilder().setModelName("tiny").build());
    assertTrue(isReady("tiny"));
    var _ =
        oip.repositoryModelUnload(
            RepositoryModelUnloadRequest.newBuilder().setModelName("tiny").build());
    assertFalse(isReady("tiny"));
    assertTrue(
        oip.repositoryIndex(RepositoryIndexRequest.getDefaultInstance()).getModelsList().stream()
            .anyMatch(entry -> entry.getReason().equals("unloaded")));
    refused(
        Status.Code.NOT_FOUND,
        "'unknown'",
        () ->
            oip.repositoryModelLoad(
                RepositoryModelLoadRequest.newBuilder().setModelName("unknown").build()));
    refused(
        Status.Code.INVALID_ARGUMENT,
        "got 'config', expected none",
        () ->
            oip.repositoryModelLoad(
                RepositoryModelLoadRequest.newBuilder()
                    .setModelName("tiny")
                    .putParameters("config", ModelRepositoryParameter.getDefaultInstance())
                    .build()));
    refused(
        Status.Code.UNIMPLEMENTED,
        "repository_name",
        () ->
            oip.repositoryModelLoad(
                RepositoryModelLoadRequest.newBuilder().setRepositoryName("other").build()));
  }

  @Test
  void ourOwnServiceTellsStatesAndWidths() {
    var _ = strata.loadModel(LoadModelRequest.newBuilder().setModel("tiny").build());
    ModelVersion version =
        strata.listModels(ListModelsRequest.getDefaultInstance()).getModelsList().stream()
            .filter(entry -> entry.getModel().equals("tiny") && entry.getVersion().equals("2"))
            .findFirst()
            .orElseThrow();
    assertEquals(ModelVersion.State.READY, version.getState());
    assertEquals(List.of(1, 2, 3, 4, 5, 6, 7, 8), version.getBitsList());
    assertEquals(List.of(), version.getArrivingBitsList());
    assertTrue(version.getPlaneBytes() > 0);
    assertEquals(
        List.of(),
        strata
            .listPrecisions(ListPrecisionsRequest.newBuilder().setModel("tiny").build())
            .getEvictedBitsList());
    var _ = strata.unloadModel(UnloadModelRequest.newBuilder().setModel("tiny").build());
    refused(
        Status.Code.UNAVAILABLE,
        "has been unloaded",
        () -> strata.listPrecisions(ListPrecisionsRequest.newBuilder().setModel("tiny").build()));
  }

  private boolean isReady(String model) {
    return oip.modelReady(ModelReadyRequest.newBuilder().setName(model).build()).getReady();
  }

  private static void refused(Status.Code code, String reason, Executable call) {
    StatusRuntimeException refused = assertThrows(StatusRuntimeException.class, call);
    assertEquals(code, refused.getStatus().getCode());
    assertTrue(
        String.valueOf(refused.getStatus().getDescription()).contains(reason),
        refused.getMessage());
  }
}
