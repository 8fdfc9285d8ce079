package dev.strata.loadtest.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.scenario.Payload;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// The Open Inference Protocol over HTTP with the binary tensor extension.
public final class RestClient implements Client {
  private static final String JSON_LENGTH = "Inference-Header-Content-Length";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final String base;

  /// @param base `http://host:port`
  public RestClient(String base) {
    this.base = base;
  }

  @Override
  public void send(Call call, Payload payload, Consumer<Outcome> ended) {
    byte[] header = header(call, payload);
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("%s/v2/models/%s/infer".formatted(base, call.model())))
            .header(JSON_LENGTH, Integer.toString(header.length))
            .header("Content-Type", "application/octet-stream")
            .POST(BodyPublishers.ofByteArrays(List.of(header, payload.data())))
            .build();
    var _ =
        http.sendAsync(request, BodyHandlers.ofByteArray())
            .whenComplete((response, failure) -> ended.accept(outcome(response, failure)));
  }

  private static byte[] header(Call call, Payload payload) {
    ObjectNode header = JSON.createObjectNode();
    ObjectNode parameters = header.putObject("parameters");
    parameters.put("binary_data_output", true);
    call.parameters().forEach(parameters::putPOJO);
    ObjectNode input = header.putArray("inputs").addObject();
    input.put("name", payload.name());
    input.put("datatype", payload.datatype());
    input.putPOJO("shape", payload.shape());
    input.putObject("parameters").put("binary_data_size", payload.data().length);
    return header.toString().getBytes(UTF_8);
  }

  private static Outcome outcome(HttpResponse<byte[]> response, Throwable failure) {
    if (failure != null) {
      return new Outcome.Failed(failure.toString());
    }
    try {
      return response.statusCode() == 200 ? answered(response) : refused(response);
    } catch (IOException | RuntimeException unreadable) {
      return new Outcome.Failed("an answer that cannot be read: " + unreadable);
    }
  }

  private static Outcome refused(HttpResponse<byte[]> response) throws IOException {
    int status = response.statusCode();
    String body = new String(response.body(), UTF_8);
    if (status >= 500 && status != 503 && status != 504) {
      return new Outcome.Failed("HTTP %d: %s".formatted(status, body));
    }
    return new Outcome.Refused(
        "HTTP " + status, JSON.readTree(response.body()).path("error").asText(body));
  }

  private static Outcome answered(HttpResponse<byte[]> response) throws IOException {
    byte[] body = response.body();
    int length =
        response.headers().firstValue(JSON_LENGTH).map(Integer::parseInt).orElse(body.length);
    JsonNode header = JSON.readTree(body, 0, length);
    OutputDigest digest = new OutputDigest();
    int at = length;
    for (JsonNode output : header.path("outputs")) {
      int size = output.path("parameters").path("binary_data_size").asInt(-1);
      if (size < 0) {
        return new Outcome.Failed("an answer without binary data");
      }
      List<Long> shape = new ArrayList<>();
      output.path("shape").forEach(dim -> shape.add(dim.asLong()));
      digest.add(
          output.path("name").asText(),
          output.path("datatype").asText(),
          shape,
          ByteBuffer.wrap(body, at, size));
      at += size;
    }
    JsonNode parameters = header.path("parameters");
    return new Outcome.Answered(
        header.path("model_version").asText(),
        parameters.path("bits").asInt(),
        parameters.path("bits_reason").asText(""),
        parameters.path("queue_us").asLong(),
        parameters.path("compute_us").asLong(),
        digest.hex());
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
