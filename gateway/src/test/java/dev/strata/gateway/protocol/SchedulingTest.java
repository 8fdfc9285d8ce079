package dev.strata.gateway.protocol;

import static io.restassured.RestAssured.given;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.ByteString;
import inference.GRPCInferenceServiceGrpc;
import inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceFutureStub;
import inference.InferParameter;
import inference.ModelInferRequest;
import inference.ModelInferResponse;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Cancellation, deadlines and overload over real sockets, on a model that takes its time.
@QuarkusTest
@QuarkusTestResource(TinyRepository.class)
@Timeout(120)
class SchedulingTest {

  private static final int ROWS = 64;
  private static final int COLUMNS = 64;
  private static final Metadata.Key<String> PUSHBACK =
      Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);

  /// Of work at 8 bits: well under what a queue takes, and well over it even at the narrowest
  // width.
  private static final Duration ACCEPTABLE = Duration.ofMillis(90);

  private static final Duration TOO_MUCH = Duration.ofMillis(1500);

  @TestHTTPResource URI root;
  private ManagedChannel channel;
  private GRPCInferenceServiceFutureStub grpc;

  @BeforeEach
  void connect() throws InterruptedException {
    channel = GrpcClient.channel();
    grpc = GRPCInferenceServiceGrpc.newFutureStub(channel);
    TinyRepository.awaitLoaded();
    idle();
  }

  @AfterEach
  void disconnect() throws InterruptedException {
    idle();
    channel.shutdownNow();
  }

  @Test
  void aCancelledCallIsNeitherWaitedForNorComputed() throws Exception {
    double before = outcomes("grpc", "cancelled");
    List<ListenableFuture<ModelInferResponse>> calls = new ArrayList<>();
    int requests = requestsFor(ACCEPTABLE);
    for (int i = 0; i < requests; i++) {
      calls.add(grpc.modelInfer(slow("bits", 8)));
    }
    calls.removeFirst().get();
    calls.forEach(call -> call.cancel(true));
    eventually(() -> outcomes("grpc", "cancelled") > before);
    assertEquals(0, metric("strata_queue_depth\\S*"), "nothing waits");
  }

  @Test
  void aClosedConnectionCancelsItsRequest() throws Exception {
    double before = outcomes("rest", "cancelled");
    int requests = requestsFor(ACCEPTABLE);
    // A fast machine may have answered all of them before the first socket is closed: once more.
    eventually(
        () -> {
          askAndHangUp(requests);
          return outcomes("rest", "cancelled") > before;
        });
  }

  private void askAndHangUp(int requests) {
    byte[] body = new byte[ROWS * COLUMNS * Float.BYTES];
    byte[] head =
        """
        POST /v2/models/slow/infer HTTP/1.1\r
        Host: localhost\r
        Inference-Header-Content-Length: 0\r
        Content-Length: %d\r
        \r
        """
            .formatted(body.length)
            .getBytes(StandardCharsets.US_ASCII);
    List<Socket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < requests; i++) {
        sockets.add(new Socket("localhost", root.getPort()));
      }
      for (Socket socket : sockets) {
        socket.getOutputStream().write(head);
        socket.getOutputStream().write(body);
      }
      assertEquals('H', sockets.getFirst().getInputStream().read());
      for (Socket socket : sockets) {
        socket.close();
      }
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @Test
  void aDeadlineThatCannotBeMetIsRefusedAtOnce() throws Exception {
    requestsFor(ACCEPTABLE);
    double before = outcomes("grpc", "deadline_exceeded") + outcomes("grpc", "cancelled");
    eventually(
        () -> {
          // A call whose deadline passes on its way never reaches the server.
          ListenableFuture<ModelInferResponse> hurried =
              grpc.withDeadlineAfter(8, TimeUnit.MILLISECONDS).modelInfer(slow("bits", 8));
          ExecutionException late = assertThrows(ExecutionException.class, hurried::get);
          assertEquals(
              Status.Code.DEADLINE_EXCEEDED,
              ((StatusRuntimeException) late.getCause()).getStatus().getCode());
          return outcomes("grpc", "deadline_exceeded") + outcomes("grpc", "cancelled") > before;
        });
  }

  @Test
  void overGrpcOverloadTakesBitsAndThenRefuses() throws Exception {
    int requests = requestsFor(TOO_MUCH);
    List<ListenableFuture<ModelInferResponse>> flexible = new ArrayList<>();
    List<ListenableFuture<ModelInferResponse>> exact = new ArrayList<>();
    for (int i = 0; i < requests; i++) {
      flexible.add(grpc.modelInfer(slow("precision", "auto")));
      if (i % 4 == 0) {
        exact.add(grpc.modelInfer(slow("bits", 8)));
      }
    }
    Set<String> reasons = new HashSet<>();
    int refused = 0;
    for (ListenableFuture<ModelInferResponse> call : flexible) {
      try {
        reasons.add(call.get().getParametersOrThrow("bits_reason").getStringParam());
      } catch (ExecutionException failure) {
        StatusRuntimeException status = (StatusRuntimeException) failure.getCause();
        assertEquals(Status.Code.RESOURCE_EXHAUSTED, status.getStatus().getCode());
        assertTrue(Long.parseLong(status.getTrailers().get(PUSHBACK)) > 0);
        refused++;
      }
    }
    for (ListenableFuture<ModelInferResponse> call : exact) {
      try {
        assertEquals(8, call.get().getParametersOrThrow("bits").getInt64Param());
      } catch (ExecutionException failure) {
        assertEquals(
            Status.Code.RESOURCE_EXHAUSTED,
            ((StatusRuntimeException) failure.getCause()).getStatus().getCode());
      }
    }
    assertTrue(reasons.contains("brown_out"), () -> "reasons " + reasons);
    assertTrue(refused > 0, "so many requests at once are too many");
    assertTrue(metric("strata_degradations_total\\{[^}]*reason=\"brown_out\"[^}]*\\}") > 0);
    assertTrue(metric("strata_brownout_transitions_total\\{[^}]*direction=\"down\"[^}]*\\}") > 0);
  }

  @Test
  void overRestARefusalSaysWhenToTryAgain() throws Exception {
    int requests = requestsFor(TOO_MUCH);
    try (HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
      List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
      for (int i = 0; i < requests; i++) {
        answers.add(
            client.sendAsync(
                HttpRequest.newBuilder(root.resolve("/v2/models/slow/infer"))
                    .header("Inference-Header-Content-Length", "0")
                    .header("Strata-Bits", "8")
                    .header("Strata-Priority", "3")
                    .POST(
                        HttpRequest.BodyPublishers.ofByteArray(
                            new byte[ROWS * COLUMNS * Float.BYTES]))
                    .build(),
                HttpResponse.BodyHandlers.ofString()));
      }
      List<HttpResponse<String>> refused =
          answers.stream()
              .map(CompletableFuture::join)
              .filter(answer -> answer.statusCode() != 200)
              .toList();
      assertFalse(refused.isEmpty(), "so many requests at once are too many");
      for (HttpResponse<String> answer : refused) {
        assertEquals(429, answer.statusCode(), answer.body());
        assertTrue(answer.headers().firstValueAsLong("Retry-After").orElseThrow() >= 1);
        assertTrue(answer.body().startsWith("{\"error\":\"queue: "), answer.body());
      }
    }
  }

  @Test
  void aQueueTimeoutIsRefusedAsTheProtocolHasIt() throws Exception {
    // Far less than may wait, so that the impatient one is not refused for that.
    int requests = requestsFor(ACCEPTABLE.dividedBy(6));
    List<ListenableFuture<ModelInferResponse>> ahead = new ArrayList<>();
    for (int i = 0; i < requests; i++) {
      ahead.add(grpc.modelInfer(slow("bits", 8)));
    }
    ModelInferRequest impatient =
        slow("bits", 8).toBuilder()
            .putParameters("timeout", InferParameter.newBuilder().setInt64Param(1).build())
            .putParameters("priority", InferParameter.newBuilder().setUint64Param(1).build())
            .build();
    ExecutionException refused =
        assertThrows(ExecutionException.class, () -> grpc.modelInfer(impatient).get());
    StatusRuntimeException status = (StatusRuntimeException) refused.getCause();
    assertEquals(Status.Code.UNAVAILABLE, status.getStatus().getCode(), status.getMessage());
    assertTrue(status.getStatus().getDescription().startsWith("timeout: "), status.getMessage());
    for (ListenableFuture<ModelInferResponse> call : ahead) {
      try {
        call.get();
      } catch (ExecutionException full) {
        // On a machine that slows down too much: no more than the queue may do.
        assertEquals(Status.Code.RESOURCE_EXHAUSTED, Status.fromThrowable(full).getCode());
      }
    }
  }

  /// Lets the server learn how long the model takes.
  ///
  /// @return how many such requests keep its workers busy for so long
  private int requestsFor(Duration time) throws Exception {
    long[] micros = new long[7];
    for (int i = 0; i < micros.length; i++) {
      micros[i] =
          grpc.modelInfer(slow("bits", 8)).get().getParametersOrThrow("compute_us").getInt64Param();
    }
    Arrays.sort(micros);
    long requests = TinyRepository.WORKERS * time.toNanos() / 1000 / micros[micros.length / 2];
    return Math.clamp(requests, 2 * TinyRepository.WORKERS, 1500);
  }

  private void idle() throws InterruptedException {
    eventually(() -> metric("strata_queue_wait_seconds\\S*") == 0);
  }

  private static void eventually(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) {
      Thread.sleep(2);
    }
  }

  private static double outcomes(String protocol, String outcome) {
    return metric(
        "strata_requests_total\\{[^}]*outcome=\"%s\",protocol=\"%s\"[^}]*\\}"
            .formatted(outcome, protocol));
  }

  /// Sum of all series whose name and labels match.
  private static double metric(String series) {
    Matcher lines =
        Pattern.compile("^" + series + " (\\S+)$", Pattern.MULTILINE)
            .matcher(given().get("/metrics").asString());
    double sum = 0;
    while (lines.find()) {
      sum += Double.parseDouble(lines.group(1));
    }
    return sum;
  }

  private static ModelInferRequest slow(String name, Object value) {
    InferParameter.Builder parameter = InferParameter.newBuilder();
    if (value instanceof Integer number) {
      parameter.setInt64Param(number);
    } else {
      parameter.setStringParam(value.toString());
    }
    return ModelInferRequest.newBuilder()
        .setModelName("slow")
        .putParameters(name, parameter.build())
        .addInputs(
            ModelInferRequest.InferInputTensor.newBuilder()
                .setName("x")
                .setDatatype("FP32")
                .addShape(ROWS)
                .addShape(COLUMNS))
        .addRawInputContents(ByteString.copyFrom(new byte[ROWS * COLUMNS * Float.BYTES]))
        .build();
  }
}
