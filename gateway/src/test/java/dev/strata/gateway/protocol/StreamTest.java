package dev.strata.gateway.protocol;

import static java.net.http.HttpResponse.BodyHandlers.ofString;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import inference.GRPCInferenceServiceGrpc;
import inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceStub;
import inference.ModelInferRequest;
import inference.ModelInferResponse;
import inference.ModelStreamInferResponse;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// One request, several answers: over `ModelStreamInfer`, and as server-sent events.
@QuarkusTest
@QuarkusTestResource(TinyRepository.class)
@Timeout(60)
class StreamTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TestHTTPResource URI root;
  private ManagedChannel channel;
  private GrpcClient client;
  private GRPCInferenceServiceStub grpc;

  @BeforeEach
  void connect() throws InterruptedException {
    channel = GrpcClient.channel();
    client = new GrpcClient(false);
    grpc = GRPCInferenceServiceGrpc.newStub(channel);
    while (!client.ready()) {
      Thread.sleep(20);
    }
  }

  @AfterEach
  void disconnect() {
    client.close();
    channel.shutdownNow();
  }

  @Test
  void aLadderIsAnsweredRungByRungAndTheLastIsMarked() {
    CollectedAnswers answers = new CollectedAnswers();
    StreamObserver<ModelInferRequest> requests = grpc.modelStreamInfer(answers);
    requests.onNext(client.message(ladder("a", "2,4,8")));
    requests.onCompleted();
    assertEquals(Status.Code.OK, answers.ended().join().getCode());
    assertEquals(
        List.of("a 2 false", "a 4 false", "a 8 true"),
        answers.messages().stream().map(StreamTest::line).toList());
    for (ModelStreamInferResponse message : answers.messages()) {
      ModelInferResponse rung = message.getInferResponse();
      Answer.Given alone =
          (Answer.Given)
              client.infer(
                  ladder("", "8")
                      .without("ladder")
                      .bits((int) rung.getParametersOrThrow("bits").getInt64Param()));
      assertArrayEquals(
          alone.outputs().get("y").data().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE),
          rung.getRawOutputContents(0).toByteArray());
    }
  }

  @Test
  void manyRequestsShareAStreamAndOneMayFail() {
    CollectedAnswers answers = new CollectedAnswers();
    StreamObserver<ModelInferRequest> requests = grpc.modelStreamInfer(answers);
    for (int i = 0; i < 100; i++) {
      requests.onNext(client.message(ladder("r" + i, i == 50 ? "2,1" : "1,8")));
    }
    requests.onCompleted();
    assertEquals(Status.Code.OK, answers.ended().join().getCode());
    for (int i = 0; i < 100; i++) {
      String id = "r" + i;
      List<ModelStreamInferResponse> own =
          answers.messages().stream()
              .filter(message -> message.getInferResponse().getId().equals(id))
              .toList();
      if (i == 50) {
        assertEquals(1, own.size());
        assertTrue(own.getFirst().getErrorMessage().contains("parameters.ladder"));
        assertEquals("tiny", own.getFirst().getInferResponse().getModelName());
      } else {
        assertEquals(
            List.of(id + " 1 false", id + " 8 true"), own.stream().map(StreamTest::line).toList());
      }
    }
  }

  @Test
  void whoWantsErrorsToEndTheStreamGetsThat() {
    Metadata strict = new Metadata();
    strict.put(Metadata.Key.of("triton_grpc_error", Metadata.ASCII_STRING_MARSHALLER), "true");
    CollectedAnswers answers = new CollectedAnswers();
    StreamObserver<ModelInferRequest> requests =
        grpc.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(strict))
            .modelStreamInfer(answers);
    requests.onNext(client.message(ladder("a", "2,1")));
    assertEquals(Status.Code.INVALID_ARGUMENT, answers.ended().join().getCode());
  }

  @Test
  void aPlainRequestIsAnsweredOnceAndThatIsTheLast() {
    CollectedAnswers answers = new CollectedAnswers();
    StreamObserver<ModelInferRequest> requests = grpc.modelStreamInfer(answers);
    requests.onNext(client.message(ladder("a", "8").without("ladder")));
    requests.onCompleted();
    answers.ended().join();
    assertEquals(List.of("a 8 true"), answers.messages().stream().map(StreamTest::line).toList());
  }

  @Test
  void overRestEachAnswerIsAnEvent() throws Exception {
    HttpResponse<String> response = post("\"ladder\": \"2,4,8\"");
    assertEquals(200, response.statusCode());
    assertTrue(
        response
            .headers()
            .firstValue("Content-Type")
            .orElseThrow()
            .startsWith("text/event-stream"));
    List<String> lines = new ArrayList<>();
    for (String line : response.body().lines().filter(text -> !text.isBlank()).toList()) {
      assertTrue(line.startsWith("data:"), line);
      JsonNode event = JSON.readTree(line.substring(5));
      assertEquals(4, event.get("outputs").get(0).get("data").size());
      JsonNode parameters = event.get("parameters");
      lines.add(
          "%d %s %s"
              .formatted(
                  parameters.get("bits").asInt(),
                  parameters.get("bits_reason").asText(),
                  parameters.get("triton_final_response").asBoolean()));
    }
    assertEquals(List.of("2 rung false", "4 rung false", "8 rung true"), lines);
  }

  @Test
  void overRestWhatIsRefusedBeforeTheFirstAnswerHasAStatus() throws Exception {
    HttpResponse<String> response = post("\"ladder\": \"4,2\"");
    assertEquals(400, response.statusCode(), response.body());
    assertTrue(response.body().contains("parameters.ladder"), response.body());
  }

  /// A small body may be there, and its request ended, before any other thread looks at it.
  @Test
  void overOneHttp2ConnectionNoStreamLosesItsBody() throws Exception {
    try (HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build()) {
      // The first request upgrades the connection.
      HttpRequest first = HttpRequest.newBuilder(root.resolve("/v2/health/live")).build();
      assertEquals(200, http.send(first, ofString()).statusCode());
      for (int round = 0; round < 10; round++) {
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
          answers.add(http.sendAsync(request("\"ladder\": \"2,8\""), ofString()));
        }
        for (CompletableFuture<HttpResponse<String>> answer : answers) {
          HttpResponse<String> response = answer.join();
          assertEquals(HttpClient.Version.HTTP_2, response.version());
          assertEquals(200, response.statusCode(), response.body());
          assertEquals(2, response.body().lines().filter(line -> line.startsWith("data:")).count());
        }
      }
    }
  }

  private HttpResponse<String> post(String parameters) throws Exception {
    try (HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
      return http.send(request(parameters), ofString());
    }
  }

  private HttpRequest request(String parameters) {
    String body =
        """
        {"parameters": {%s}, "inputs": [{"name": "x", "shape": [1, 16], "datatype": "FP32",
         "data": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}]}
        """
            .formatted(parameters);
    return HttpRequest.newBuilder(root.resolve("/v2/models/tiny/infer_stream"))
        .POST(HttpRequest.BodyPublishers.ofString(body))
        .build();
  }

  private static Question ladder(String id, String rungs) {
    float[] values = new float[16];
    for (int i = 0; i < values.length; i++) {
      values[i] = i - 8;
    }
    return Question.of("tiny", new Question.Input("x", "FP32", List.of(1L, 16L), values))
        .id(id)
        .parameter("ladder", rungs);
  }

  private static String line(ModelStreamInferResponse message) {
    ModelInferResponse response = message.getInferResponse();
    return "%s %d %s"
        .formatted(
            response.getId(),
            response.getParametersOrThrow("bits").getInt64Param(),
            response.getParametersOrThrow("triton_final_response").getBoolParam());
  }
}
