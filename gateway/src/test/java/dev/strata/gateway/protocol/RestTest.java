package dev.strata.gateway.protocol;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItems;
import static org.hamcrest.Matchers.startsWith;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.gateway.api.Failures;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.Response;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What only REST has: bodies, headers, routes.
@QuarkusTest
@QuarkusTestResource(TinyRepository.class)
class RestTest {

  private static final String INFER = "/v2/models/tiny/infer";
  private static final String LENGTH = "Inference-Header-Content-Length";
  private static final String TWO_ROWS =
      """
      {"inputs":[{"name":"x","shape":[1,16],"datatype":"FP32",\
      "parameters":{"binary_data_size":64}}]}\
      """;

  @TestHTTPResource URI root;

  @BeforeEach
  void waitUntilTheServerIsReady() throws InterruptedException {
    TinyRepository.awaitLoaded();
  }

  @Test
  void theServerNamesWhatItCanDoAndWhatItHas() {
    given()
        .get("/v2")
        .then()
        .statusCode(200)
        .body("name", equalTo("strata"))
        .body("extensions", hasItems("binary_tensor_data", "parameters", "strata_precision"));
    given()
        .get("/v2/models")
        .then()
        .body("models", equalTo(List.of("conv", "slow", "sure", "tiny", "unsure")));
  }

  @Test
  void metadataTellsWidthsBytesQualityAndLabels() {
    given()
        .get("/v2/models/tiny")
        .then()
        .statusCode(200)
        .body("parameters.default_bits", equalTo(8))
        .body("parameters.precisions.bits", equalTo(List.of(1, 2, 3, 4, 5, 6, 7, 8)))
        .body("parameters.precisions[3].quality.accuracy", equalTo(0.75f))
        .body("parameters.labels", equalTo(List.of("a", "b", "c", "d")));
  }

  @Test
  void theConfigurationTellsWhatTheOwnerHasSet() {
    given()
        .get("/v2/models/conv/config")
        .then()
        .statusCode(200)
        .body("dynamic_batching.preferred_batch_size", equalTo(List.of(2, 4)))
        .body("dynamic_batching.max_queue_delay_microseconds", equalTo(2000))
        .body("response_cache.enable", equalTo(true));
    given()
        .get("/v2/models/slow/config")
        .then()
        .body("dynamic_batching.max_queue_delay_microseconds", equalTo(0))
        .body("response_cache.enable", equalTo(false))
        .body("parameters.bits.string_value", equalTo("1,2,3,4,5,6,7,8"));
  }

  @Test
  void anOutputMayBeItsHighestClasses() {
    String request = json(16).replace("{\"inputs", "{\"outputs\":[{\"name\":\"y\"%s}],\"inputs");
    List<Float> scores =
        given()
            .body(request.formatted(""))
            .post(INFER)
            .jsonPath()
            .getList("outputs[0].data", Float.class);
    int best = scores.indexOf(Collections.max(scores));
    given()
        .body(request.formatted(",\"parameters\":{\"classification\":2}"))
        .post(INFER)
        .then()
        .statusCode(200)
        .body("outputs[0].datatype", equalTo("BYTES"))
        .body("outputs[0].shape", equalTo(List.of(1, 2)))
        .body(
            "outputs[0].data[0]",
            equalTo(
                String.format(
                    Locale.ROOT, "%f:%d:%s", scores.get(best), best, "abcd".charAt(best))));
    given()
        .body(request.formatted(",\"parameters\":{\"classification\":0}"))
        .post(INFER)
        .then()
        .statusCode(400)
        .body(
            "error",
            equalTo("outputs[0] 'y': parameters.classification: got 0, expected at least 1"));
  }

  @Test
  void theSnapshotCountsEachWidthByItself() {
    String width = "models.find { it.name == 'tiny' && it.version == '2' }.widths[2].";
    long before = given().get("/strata/v1/snapshot").jsonPath().getLong(width + "answered");
    given().header("Strata-Bits", 3).body(json(16)).post(INFER).then().statusCode(200);
    given()
        .get("/strata/v1/snapshot")
        .then()
        .statusCode(200)
        .body("server.ready", equalTo(true))
        .body("latency_bounds_us.size()", equalTo(25))
        .body(width + "bits", equalTo(3))
        .body(width + "state", equalTo("resident"))
        .body(width + "answered", equalTo((int) before + 1))
        .body(width + "answered_within[24]", equalTo((int) before + 1));
  }

  @Test
  void aCurlWithoutAContentTypeOfItsOwnIsUnderstood() {
    given()
        .contentType("application/x-www-form-urlencoded")
        .body(json(16))
        .post(INFER)
        .then()
        .statusCode(200)
        .contentType("application/json");
  }

  @Test
  void oneOutputMayBeBinaryWhileTheRequestIsJson() {
    Response response =
        given()
            .contentType("application/json")
            .body(
                json(16)
                    .replace(
                        "\"inputs\"",
                        "\"outputs\":[{\"name\":\"y\",\"parameters\":{\"binary_data\":true}}],"
                            + "\"inputs\""))
            .post(INFER);
    assertEquals("application/octet-stream", response.contentType());
    int length = Integer.parseInt(response.header(LENGTH));
    assertEquals(length + 16, response.asByteArray().length);
  }

  @Test
  void malformedBodiesAreRefused() {
    for (String body : List.of("", "{", "[]", "{\"inputs\":1}", "\u0000", json(16) + "x")) {
      refused(400, "", given().contentType("application/json").body(body).post(INFER));
    }
  }

  @Test
  void theLengthHeaderMustBeTrue() {
    String length = Integer.toString(TWO_ROWS.length());
    assertEquals(200, binary(length, TWO_ROWS, 64).statusCode());
    for (String wrong : List.of("-1", "x", "99999999999", "100000", "1.0", "")) {
      refused(400, LENGTH, binary(wrong, TWO_ROWS, 64));
    }
    refused(400, "malformed JSON", binary("10", TWO_ROWS, 64));
    refused(400, "after the last tensor", binary(length, TWO_ROWS, 65));
    refused(400, "binary_data_size: got 64", binary(length, TWO_ROWS, 63));
    refused(
        400,
        LENGTH + ": got 2 values",
        given().headers(LENGTH, "1", LENGTH, "2").body(new byte[4]).post(INFER));
    refused(
        400,
        LENGTH + " missing?",
        given().contentType("application/json").body(TWO_ROWS).post(INFER));
  }

  @Test
  void aBodyWithoutJsonIsTheOnlyInput() {
    Response raw =
        given().header(LENGTH, 0).header("Strata-Bits", 4).body(new byte[2 * 64]).post(INFER);
    int length = Integer.parseInt(raw.header(LENGTH));
    assertEquals(2 * 16, raw.asByteArray().length - length);
    given()
        .header(LENGTH, 0)
        .header("Strata-Bits", 4)
        .accept("application/json")
        .body(new byte[2 * 64])
        .post(INFER)
        .then()
        .statusCode(200)
        .body("outputs[0].shape", equalTo(List.of(2, 4)))
        .body("parameters.bits", equalTo(4));
    refused(400, "got 63 bytes", given().header(LENGTH, 0).body(new byte[63]).post(INFER));
  }

  @Test
  void pathsAndMethodsThatThereAreNotAreRefusedAsJson() {
    refused(404, "/nowhere", given().get("/nowhere"));
    refused(404, "/v2/models/tiny/nothing", given().get("/v2/models/tiny/nothing"));
    refused(405, INFER, given().get(INFER));
    refused(404, "'a/b'", given().urlEncodingEnabled(false).get("/v2/models/a%2Fb"));
    refused(404, "expected one of", given().get("/v2/models/unknown"));
    refused(503, "could not be loaded", given().get("/v2/models/broken/ready"));
  }

  @Test
  void encodingsThatAreNotUnderstoodAreNotGuessed() {
    refused(
        501,
        "Content-Encoding",
        given().header("Content-Encoding", "br").body(new byte[10]).post(INFER));
  }

  @Test
  void theBodyLimitHoldsWithAndWithoutAnAnnouncedLength() throws IOException, InterruptedException {
    byte[] limit = padded(TinyRepository.MAX_BYTES);
    byte[] over = padded(TinyRepository.MAX_BYTES + 1);
    for (HttpClient.Version version : HttpClient.Version.values()) {
      assertEquals(200, post(version, HttpRequest.BodyPublishers.ofByteArray(limit)).statusCode());
      assertEquals(200, post(version, chunked(limit)).statusCode());
      tooLarge(post(version, HttpRequest.BodyPublishers.ofByteArray(over)));
    }
    tooLarge(post(HttpClient.Version.HTTP_1_1, chunked(over)));
  }

  @Test
  void aClientStillSendingWhatIsTooLargeGetsTheRefusalAndNoReset()
      throws IOException, InterruptedException {
    byte[] over = padded(TinyRepository.MAX_BYTES + 1);
    try (Socket socket = new Socket(root.getHost(), root.getPort())) {
      OutputStream body = socket.getOutputStream();
      String head = "POST %s HTTP/1.1\r\nHost: strata\r\nContent-Length: %d\r\n\r\n";
      body.write(head.formatted(INFER, over.length).getBytes(StandardCharsets.US_ASCII));
      body.write(over, 0, over.length / 2);
      Thread.sleep(100);
      body.write(over, over.length / 2, over.length - over.length / 2);
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      assertTrue(answer.startsWith("HTTP/1.1 413 "), answer);
      assertTrue(answer.contains("{\"error\":\"body: got "), answer);
    }
  }

  @Test
  void aClientThatLeavesInTheMiddleIsNoDefect() throws IOException, InterruptedException {
    BlockingQueue<LogRecord> logged = new LinkedBlockingQueue<>();
    Handler keeper = new KeptRecords(logged);
    Logger failures = Logger.getLogger(Failures.class.getName());
    failures.addHandler(keeper);
    try (HttpClient client = HttpClient.newHttpClient()) {
      byte[] body = padded(TinyRepository.MAX_BYTES);
      for (int round = 0; round < 20; round++) {
        try (Socket socket = new Socket(root.getHost(), root.getPort())) {
          String head = "POST %s HTTP/1.1\r\nHost: strata\r\nContent-Length: %d\r\n\r\n";
          OutputStream out = socket.getOutputStream();
          out.write(head.formatted(INFER, body.length).getBytes(StandardCharsets.US_ASCII));
          out.write(body, 0, body.length / 2);
        }
        HttpRequest.BodyPublisher stalled =
            HttpRequest.BodyPublishers.fromPublisher(
                subscriber ->
                    subscriber.onSubscribe(
                        new Flow.Subscription() {
                          private boolean sent;

                          @Override
                          public void request(long count) {
                            if (!sent) {
                              sent = true;
                              subscriber.onNext(ByteBuffer.wrap(body, 0, 1000));
                            }
                          }

                          @Override
                          public void cancel() {}
                        }));
        var asked =
            client.sendAsync(
                HttpRequest.newBuilder(root.resolve(INFER)).POST(stalled).build(),
                HttpResponse.BodyHandlers.ofString());
        Thread.sleep(10);
        asked.cancel(true);
      }
      assertNull(logged.poll(500, TimeUnit.MILLISECONDS));
    } finally {
      failures.removeHandler(keeper);
    }
  }

  private static final class KeptRecords extends Handler {
    private final BlockingQueue<LogRecord> kept;

    private KeptRecords(BlockingQueue<LogRecord> kept) {
      this.kept = kept;
    }

    @Override
    public void publish(LogRecord logged) {
      kept.add(logged);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  private static void tooLarge(HttpResponse<String> refused) {
    assertEquals(413, refused.statusCode());
    assertTrue(refused.body().startsWith("{\"error\":\"body: "), refused.body());
  }

  private static HttpRequest.BodyPublisher chunked(byte[] body) {
    return HttpRequest.BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body));
  }

  @Test
  void probesAndDocumentsAreThere() {
    given().get("/q/health/live").then().statusCode(200).body("status", equalTo("UP"));
    given()
        .get("/q/health/ready")
        .then()
        .statusCode(200)
        .body("checks.find { it.name == 'models' }.data.'broken/1'", startsWith("failed: "))
        .body("checks.find { it.name == 'models' }.data.'tiny/1'", containsString("ready"));
    given()
        .accept("application/json")
        .get("/q/openapi?format=json")
        .then()
        .statusCode(200)
        .body("paths.'/v2/models/{model}/infer'.post.operationId", equalTo("modelInfer"))
        .body("components.schemas.keySet()", hasItems("InferenceRequest", "InferenceResponse"));
  }

  @Test
  void metricsTellTheWidthsApart() {
    for (int bits : new int[] {2, 6}) {
      given().header("Strata-Bits", bits).body(json(16)).post(INFER).then().statusCode(200);
    }
    given().header("Strata-Bits", 99).body(json(16)).post(INFER).then().statusCode(400);
    String metrics = given().get("/metrics").then().statusCode(200).extract().asString();
    for (String line :
        List.of(
            "strata_request_duration_seconds_bucket\\{bits=\"2\",model=\"tiny\",protocol=\"rest\","
                + "stage=\"queue\",version=\"2\",le=\"9.8E-5\"\\}",
            "strata_request_duration_seconds_bucket\\{bits=\"6\".*stage=\"compute\".*le=\"10.0\"\\}",
            "strata_request_duration_seconds_count\\{bits=\"6\".*stage=\"total\".*\\}",
            "strata_requests_total\\{bits=\"6\",model=\"tiny\",outcome=\"ok\",.*\\}",
            "strata_requests_total\\{bits=\"\",model=\"\",outcome=\"invalid_request\",.*\\}",
            "strata_plane_bytes\\{model=\"conv\",version=\"1\"\\}",
            "strata_kernel_info\\{isa=\"(scalar|avx2|avx512bw|avx512|amx|neon)\"\\} 1.0",
            "strata_queue_depth",
            "strata_queue_capacity 10000.0",
            "strata_queue_wait_seconds")) {
      assertTrue(
          metrics.lines().anyMatch(got -> got.matches(line + ".*")), () -> line + "\n" + metrics);
    }
  }

  private static void refused(int status, String reason, Response response) {
    assertEquals(status, response.statusCode(), response.asString());
    Answer.Refused refused = RestClient.refused(response);
    assertTrue(refused.message().contains(reason), refused.message());
  }

  private static Response binary(String length, String json, int tail) {
    byte[] head = json.getBytes(StandardCharsets.UTF_8);
    byte[] body = java.util.Arrays.copyOf(head, head.length + tail);
    return given()
        .headers(Map.of(LENGTH, length))
        .contentType("application/octet-stream")
        .body(body)
        .post(INFER);
  }

  private static String json(int values) {
    return "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,%d],\"datatype\":\"FP32\",\"data\":[0%s]}]}"
        .formatted(values, ",0".repeat(values - 1));
  }

  private static byte[] padded(int length) {
    String json = json(16);
    return (json + " ".repeat(length - json.length())).getBytes(StandardCharsets.UTF_8);
  }

  private HttpResponse<String> post(HttpClient.Version version, HttpRequest.BodyPublisher body)
      throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newBuilder().version(version).build()) {
      return client.send(
          HttpRequest.newBuilder(root.resolve(INFER)).POST(body).build(),
          HttpResponse.BodyHandlers.ofString());
    }
  }
}
