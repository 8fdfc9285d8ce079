package dev.strata.gateway.protocol;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import io.restassured.response.Response;
import io.restassured.specification.RequestSpecification;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// REST Assured, with JSON tensors or with binary ones.
final class RestClient implements ProtocolClient {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String LENGTH = "Inference-Header-Content-Length";

  private final boolean binary;

  RestClient(boolean binary) {
    this.binary = binary;
  }

  @Override
  public Answer infer(Question question) {
    ByteArrayOutputStream tail = new ByteArrayOutputStream();
    byte[] json = body(question, tail).toString().getBytes(UTF_8);
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    body.writeBytes(json);
    body.writeBytes(tail.toByteArray());
    RequestSpecification request =
        given().contentType("application/octet-stream").body(body.toByteArray());
    question.headers().forEach(request::header);
    if (binary) {
      request.header(LENGTH, json.length);
    }
    String version = question.version().map(number -> "/versions/" + number).orElse("");
    Response response = request.post("/v2/models/{m}" + version + "/infer", question.model());
    return response.statusCode() == 200 ? answer(response) : refused(response);
  }

  private ObjectNode body(Question question, ByteArrayOutputStream tail) {
    ObjectNode body = JSON.createObjectNode();
    if (!question.id().isEmpty()) {
      body.put("id", question.id());
    }
    ObjectNode parameters = body.putObject("parameters");
    question.parameters().forEach((name, value) -> parameters.putPOJO(name, value));
    parameters.put("binary_data_output", binary);
    ArrayNode inputs = body.putArray("inputs");
    for (Question.Input input : question.inputs()) {
      ObjectNode tensor = inputs.addObject();
      tensor.put("name", input.name()).put("datatype", input.datatype());
      input.shape().forEach(tensor.putArray("shape")::add);
      if (binary) {
        byte[] bytes = GrpcClient.bytes(input.values());
        tensor.putObject("parameters").put("binary_data_size", bytes.length);
        tail.writeBytes(bytes);
      } else {
        ArrayNode data = tensor.putArray("data");
        for (float value : input.values()) {
          data.add(value);
        }
      }
    }
    if (!question.outputs().isEmpty()) {
      ArrayNode outputs = body.putArray("outputs");
      question.outputs().forEach(name -> outputs.addObject().put("name", name));
    }
    return body;
  }

  private static Answer answer(Response response) {
    byte[] body = response.asByteArray();
    String stated = response.header(LENGTH);
    int length = stated == null ? body.length : Integer.parseInt(stated);
    JsonNode json = tree(Arrays.copyOf(body, length));
    Map<String, Tensor> outputs = new LinkedHashMap<>();
    int position = length;
    for (JsonNode output : json.get("outputs")) {
      List<Long> dims = new ArrayList<>();
      output.get("shape").forEach(dim -> dims.add(dim.asLong()));
      Shape shape = new Shape(dims);
      if (output.has("data")) {
        float[] values = new float[output.get("data").size()];
        for (int i = 0; i < values.length; i++) {
          values[i] = Float.parseFloat(output.get("data").get(i).asText());
        }
        outputs.put(output.get("name").asText(), Tensor.of(shape, values));
      } else {
        int size = output.get("parameters").get("binary_data_size").asInt();
        outputs.put(
            output.get("name").asText(),
            new Tensor(
                DataType.valueOf(output.get("datatype").asText()),
                shape,
                MemorySegment.ofArray(Arrays.copyOfRange(body, position, position + size))));
        position += size;
      }
    }
    JsonNode parameters = json.get("parameters");
    if (Long.parseLong(response.header("Strata-Bits")) != parameters.get("bits").asLong()) {
      throw new AssertionError("header and body disagree about the bits");
    }
    return new Answer.Given(
        json.get("model_name").asText(),
        json.get("model_version").asText(),
        json.path("id").asText(),
        parameters.get("bits").asLong(),
        parameters.get("requested").asText(),
        parameters.get("bits_reason").asText(),
        parameters.get("queue_us").asLong(),
        parameters.get("compute_us").asLong(),
        outputs);
  }

  static Answer.Refused refused(Response response) {
    Answer.Kind kind =
        switch (response.statusCode()) {
          case 400 -> Answer.Kind.INVALID;
          case 404 -> Answer.Kind.NOT_FOUND;
          case 503 -> Answer.Kind.UNAVAILABLE;
          case 501 -> Answer.Kind.NOT_OFFERED;
          case 429 -> Answer.Kind.OVERLOADED;
          case 504 -> Answer.Kind.TOO_LATE;
          case 413 -> Answer.Kind.TOO_LARGE;
          default -> Answer.Kind.INTERNAL;
        };
    JsonNode json = tree(response.asByteArray());
    if (json.size() != 1 || !response.contentType().startsWith("application/json")) {
      throw new AssertionError("not an error object: " + response.asString());
    }
    return new Answer.Refused(kind, json.get("error").asText());
  }

  @Override
  public boolean live() {
    return given().get("/v2/health/live").jsonPath().getBoolean("live");
  }

  @Override
  public boolean ready() {
    return given().get("/v2/health/ready").statusCode() == 200;
  }

  @Override
  public boolean modelReady(String model) {
    return given().get("/v2/models/{m}/ready", model).statusCode() == 200;
  }

  @Override
  public List<String> describe(String model) {
    JsonNode json = tree(given().get("/v2/models/{m}", model).asByteArray());
    List<String> lines = new ArrayList<>();
    json.get("versions").forEach(version -> lines.add(version.asText()));
    for (String side : List.of("inputs", "outputs")) {
      for (JsonNode tensor : json.get(side)) {
        List<Long> dims = new ArrayList<>();
        tensor.get("shape").forEach(dim -> dims.add(dim.asLong()));
        lines.add(tensor.get("name").asText() + " " + tensor.get("datatype").asText() + " " + dims);
      }
    }
    return lines;
  }

  @Override
  public List<String> precisions(String model) {
    List<String> precisions = new ArrayList<>();
    tree(given().get("/v2/models/{m}", model).asByteArray())
        .at("/parameters/precisions")
        .forEach(
            offer -> precisions.add(offer.get("bits").asInt() + ":" + offer.get("bytes").asLong()));
    return precisions;
  }

  @Override
  public List<String> index() {
    List<String> lines = new ArrayList<>();
    tree(given().post("/v2/repository/index").asByteArray())
        .forEach(
            model ->
                lines.add(
                    "%s/%s %s"
                        .formatted(
                            model.get("name").asText(),
                            model.get("version").asText(),
                            model.get("state").asText())));
    return lines;
  }

  @Override
  public void close() {}

  private static JsonNode tree(byte[] json) {
    try {
      return JSON.readTree(json);
    } catch (JsonProcessingException malformed) {
      throw new AssertionError(new String(json, UTF_8), malformed);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }
}
