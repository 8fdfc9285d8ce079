package dev.strata.gateway.protocol;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.startsWith;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import inference.GRPCInferenceServiceGrpc;
import inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import inference.InferParameter;
import inference.ModelInferRequest;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Traces, switched on: the caller's trace goes on in the server, down to the stages.
@QuarkusTest
@TestProfile(TracingTest.SwitchedOn.class)
@QuarkusTestResource(TinyRepository.class)
@Timeout(60)
class TracingTest {

  /// What Prometheus says it takes.
  private static final String PROMETHEUS =
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
          + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

  private static final String CALLER = "00f067aa0ba902b7";
  private static final AttributeKey<Long> BITS = AttributeKey.longKey("strata.bits");
  private static final AttributeKey<String> MODEL = AttributeKey.stringKey("strata.model");
  private static final AttributeKey<String> REASON = AttributeKey.stringKey("strata.bits_reason");
  private static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("strata.outcome");

  public static final class SwitchedOn implements QuarkusTestProfile {
    @Override
    public Map<String, String> getConfigOverrides() {
      return Map.of(
          "quarkus.otel.sdk.disabled", "false",
          "quarkus.otel.bsp.schedule.delay", "20ms",
          "quarkus.otel.traces.exporter", "cdi");
    }
  }

  @Inject CollectedSpans collected;

  private ManagedChannel channel;

  @BeforeEach
  void connect() throws InterruptedException {
    TinyRepository.awaitLoaded();
    channel = GrpcClient.channel();
  }

  @AfterEach
  void disconnect() {
    channel.shutdownNow();
  }

  @Test
  void aCallsTraceGoesDownToItsStages() throws InterruptedException {
    String trace = "4bf92f3577b34da6a3ce929d0e0e4701";
    stub(trace).modelInfer(request("tiny"));
    holdsTheStages(
        collected.ofTrace(trace, 6), "inference.GRPCInferenceService/ModelInfer", CALLER);
  }

  @Test
  void soDoesARestRequests() throws InterruptedException {
    String trace = "4bf92f3577b34da6a3ce929d0e0e4702";
    given()
        .header("traceparent", "00-%s-%s-01".formatted(trace, CALLER))
        .header("strata-bits", "3")
        .body(
            """
            {"inputs": [{"name": "x", "shape": [1, 16], "datatype": "FP32",
             "data": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}]}
            """)
        .post("/v2/models/tiny/infer")
        .then()
        .statusCode(200);
    holdsTheStages(collected.ofTrace(trace, 6), "POST /v2/models/{model}/infer", CALLER);
  }

  private static void holdsTheStages(List<SpanData> spans, String transport, String caller) {
    Map<String, SpanData> named =
        spans.stream().collect(Collectors.toMap(SpanData::getName, span -> span));
    assertEquals(
        new TreeSet<>(Set.of(transport, "infer", "parse", "queue", "kernel", "serialize")),
        new TreeSet<>(named.keySet()));
    SpanData server = named.get(transport);
    SpanData infer = named.get("infer");
    assertEquals(SpanKind.SERVER, server.getKind());
    assertEquals(caller, server.getParentSpanId());
    assertEquals(server.getSpanId(), infer.getParentSpanId());
    assertEquals(server.getSpanId(), named.get("serialize").getParentSpanId());
    assertEquals("tiny", infer.getAttributes().get(MODEL));
    assertEquals(3, infer.getAttributes().get(BITS));
    assertEquals("requested", infer.getAttributes().get(REASON));
    for (String stage : List.of("parse", "queue", "kernel")) {
      SpanData span = named.get(stage);
      assertEquals(infer.getSpanId(), span.getParentSpanId(), stage);
      assertTrue(span.getStartEpochNanos() >= infer.getStartEpochNanos() - 2000, stage);
      assertTrue(span.getEndEpochNanos() <= infer.getEndEpochNanos() + 2000, stage);
      assertTrue(span.getEndEpochNanos() >= span.getStartEpochNanos(), stage);
    }
    assertEquals(3, named.get("kernel").getAttributes().get(BITS));
    assertTrue(named.get("queue").getEndEpochNanos() <= named.get("kernel").getStartEpochNanos());
  }

  @Test
  void aRefusalIsAnError() throws InterruptedException {
    String trace = "4bf92f3577b34da6a3ce929d0e0e4703";
    assertThrows(StatusRuntimeException.class, () -> stub(trace).modelInfer(request("unknown")));
    SpanData infer =
        collected.ofTrace(trace, 3).stream()
            .filter(span -> span.getName().equals("infer"))
            .findFirst()
            .orElseThrow();
    assertEquals(StatusCode.ERROR, infer.getStatus().getStatusCode());
    assertEquals("model_not_found", infer.getAttributes().get(OUTCOME));
  }

  @Test
  void latenciesPointToTraces() {
    String trace = "4bf92f3577b34da6a3ce929d0e0e4704";
    stub(trace).modelInfer(request("tiny"));
    String metrics = given().header("Accept", PROMETHEUS).get("/metrics").asString();
    assertTrue(
        Pattern.compile(
                "strata_request_duration_seconds_bucket\\{[^\\n]*bits=\"3\"[^\\n]*\\}[^\\n]*"
                    + "# \\{span_id=\"[0-9a-f]{16}\",trace_id=\"[0-9a-f]{32}\"\\}")
            .matcher(metrics)
            .find(),
        metrics);
    assertTrue(metrics.endsWith("# EOF\n"), "the format's last line");
    given()
        .accept("text/plain")
        .get("/metrics")
        .then()
        .statusCode(200)
        .contentType(startsWith("text/plain"));
  }

  private GRPCInferenceServiceBlockingStub stub(String trace) {
    Metadata metadata = new Metadata();
    metadata.put(
        Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER),
        "00-%s-%s-01".formatted(trace, CALLER));
    return GRPCInferenceServiceGrpc.newBlockingStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata));
  }

  private static ModelInferRequest request(String model) {
    return ModelInferRequest.newBuilder()
        .setModelName(model)
        .putParameters("bits", InferParameter.newBuilder().setInt64Param(3).build())
        .addInputs(
            ModelInferRequest.InferInputTensor.newBuilder()
                .setName("x")
                .setDatatype("FP32")
                .addAllShape(List.of(1L, 16L)))
        .addRawInputContents(ByteString.copyFrom(new byte[16 * Float.BYTES]))
        .build();
  }
}
