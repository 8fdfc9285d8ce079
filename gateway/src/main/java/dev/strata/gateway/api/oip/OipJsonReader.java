package dev.strata.gateway.api.oip;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.strata.gateway.api.Elements;
import dev.strata.gateway.api.HeaderWishes;
import dev.strata.gateway.api.Limits;
import dev.strata.gateway.api.RawElements;
import dev.strata.gateway.api.TensorReader;
import dev.strata.gateway.call.InferenceException;
import inference.InferParameter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// Reads the body of a REST inference: a JSON object, then the binary tensors it announces. No tree
/// is built; tensor data stays in the body until its type and shape are known.
final class OipJsonReader {

  private final JsonFactory factory;
  private final Limits limits;
  private final RestBody body;

  /// The JSON part.
  private final byte[] head;

  /// Where the next binary tensor starts.
  private int position;

  /// @param factory made for the same limits
  /// @param jsonLength length of the JSON part; the rest of the body is binary tensors
  OipJsonReader(JsonFactory factory, Limits limits, RestBody body, int jsonLength) {
    this.factory = factory;
    this.limits = limits;
    this.body = body;
    this.head = body.head(jsonLength);
    this.position = jsonLength;
  }

  /// @throws InferenceException if the body is not what the protocol asks for
  OipCall read(String model, Optional<String> version, HeaderWishes headers) {
    try (JsonParser json = factory.createParser(head)) {
      json.nextToken();
      expect(json, "body", JsonToken.START_OBJECT, "an object");
      String id = "";
      Map<String, InferParameter> parameters = Map.of();
      List<OipCall.Input> inputs = List.of();
      List<OipCall.Output> outputs = List.of();
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        json.nextToken();
        switch (name) {
          case "id" -> id = text(json, "id");
          case "parameters" -> parameters = parameters(json, "parameters");
          case "inputs" -> inputs = list(json, "inputs", this::input);
          case "outputs" -> outputs = list(json, "outputs", this::output);
          default -> json.skipChildren();
        }
      }
      if (json.nextToken() != null) {
        throw InferenceException.invalid("body: got more after the JSON object, expected its end");
      }
      if (position != body.length()) {
        throw InferenceException.invalid(
            "body: got %d bytes after the last tensor, expected none"
                .formatted(body.length() - position));
      }
      return new OipCall(
          model, version, id, parameters, inputs, outputs, headers, OptionalLong.empty());
    } catch (JsonProcessingException malformed) {
      throw OipJson.malformed("body", malformed);
    } catch (IOException impossible) {
      throw new UncheckedIOException("reading from memory", impossible);
    }
  }

  private interface Item<T> {
    T read(JsonParser json, String field) throws IOException;
  }

  private <T> List<T> list(JsonParser json, String field, Item<T> item) throws IOException {
    expect(json, field, JsonToken.START_ARRAY, "an array");
    List<T> items = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      Limits.atMost(field, items.size() + 1, limits.tensors());
      String at = "%s[%d]".formatted(field, items.size());
      expect(json, at, JsonToken.START_OBJECT, "an object");
      items.add(item.read(json, at));
    }
    return items;
  }

  private OipCall.Input input(JsonParser json, String field) throws IOException {
    Optional<String> name = Optional.empty();
    Optional<String> datatype = Optional.empty();
    Optional<List<Long>> shape = Optional.empty();
    Map<String, InferParameter> parameters = Map.of();
    Optional<JsonElements> data = Optional.empty();
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String member = json.currentName();
      json.nextToken();
      switch (member) {
        case "name" -> name = Optional.of(text(json, field + ".name"));
        case "datatype" -> datatype = Optional.of(text(json, field + ".datatype"));
        case "shape" -> shape = Optional.of(shape(json, field + ".shape"));
        case "parameters" -> parameters = parameters(json, field + ".parameters");
        case "data" -> data = Optional.of(data(json, field + ".data"));
        default -> json.skipChildren();
      }
    }
    return new OipCall.Input(
        present(name, field + ".name"),
        present(datatype, field + ".datatype"),
        present(shape, field + ".shape"),
        parameters,
        elements(field, data, parameters));
  }

  private OipCall.Output output(JsonParser json, String field) throws IOException {
    Optional<String> name = Optional.empty();
    Map<String, InferParameter> parameters = Map.of();
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String member = json.currentName();
      json.nextToken();
      switch (member) {
        case "name" -> name = Optional.of(text(json, field + ".name"));
        case "parameters" -> parameters = parameters(json, field + ".parameters");
        default -> json.skipChildren();
      }
    }
    return new OipCall.Output(present(name, field + ".name"), parameters);
  }

  /// The tensor's own JSON, or its share of what follows the JSON.
  private Elements elements(
      String field, Optional<JsonElements> data, Map<String, InferParameter> parameters) {
    InferParameter announced = parameters.get(OipCodec.BINARY_DATA_SIZE);
    if (announced == null) {
      return present(data, field + ".data, or parameters." + OipCodec.BINARY_DATA_SIZE);
    }
    if (data.isPresent()) {
      throw InferenceException.invalid(
          "%s: got data and parameters.binary_data_size, expected one of them".formatted(field));
    }
    int left = body.length() - position;
    if (!announced.hasInt64Param()
        || announced.getInt64Param() < 0
        || announced.getInt64Param() > left) {
      throw InferenceException.invalid(
          "%s.parameters.binary_data_size: got %s, expected 0 to %d, the bytes left after the JSON"
                  .formatted(
                      field,
                      announced.hasInt64Param() ? announced.getInt64Param() : "no integer",
                      left)
              + (head.length == body.length()
                  ? "; is the header " + RestInference.JSON_LENGTH + " missing?"
                  : ""));
    }
    int size = (int) announced.getInt64Param();
    RawElements elements = new RawElements(body.slice(position, size));
    position += size;
    return elements;
  }

  /// Remembers where the data is and passes over it.
  private JsonElements data(JsonParser json, String field) throws IOException {
    expect(json, field, JsonToken.START_ARRAY, "an array");
    long start = json.currentTokenLocation().getByteOffset();
    json.skipChildren();
    long end = json.currentLocation().getByteOffset();
    if (start < 0 || end < 0) {
      throw InferenceException.invalid("body: got another encoding, expected UTF-8");
    }
    return new JsonElements(factory, head, (int) start, (int) (end - start));
  }

  private List<Long> shape(JsonParser json, String field) throws IOException {
    expect(json, field, JsonToken.START_ARRAY, "an array");
    List<Long> dims = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      expect(json, field, JsonToken.VALUE_NUMBER_INT, "integers");
      Limits.atMost(field + ": dimensions", dims.size() + 1, limits.rank());
      dims.add(json.getLongValue());
    }
    return dims;
  }

  private Map<String, InferParameter> parameters(JsonParser json, String field) throws IOException {
    expect(json, field, JsonToken.START_OBJECT, "an object");
    Map<String, InferParameter> parameters = new LinkedHashMap<>();
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String name = json.currentName();
      json.nextToken();
      Limits.atMost(field, parameters.size() + 1, limits.parameters());
      parameters.put(name, parameter(json, field + "." + TensorReader.excerpt(name)));
    }
    return parameters;
  }

  private static InferParameter parameter(JsonParser json, String field) throws IOException {
    InferParameter.Builder parameter = InferParameter.newBuilder();
    switch (json.currentToken()) {
      case VALUE_TRUE -> parameter.setBoolParam(true);
      case VALUE_FALSE -> parameter.setBoolParam(false);
      case VALUE_STRING -> parameter.setStringParam(json.getText());
      case VALUE_NUMBER_FLOAT -> parameter.setDoubleParam(json.getDoubleValue());
      case VALUE_NUMBER_INT -> {
        BigInteger value = json.getBigIntegerValue();
        if (value.bitLength() < Long.SIZE) {
          parameter.setInt64Param(value.longValue());
        } else if (value.signum() > 0 && value.bitLength() == Long.SIZE) {
          parameter.setUint64Param(value.longValue());
        } else {
          throw InferenceException.invalid(
              "%s: got %s, expected an integer of 64 bits".formatted(field, value));
        }
      }
      default -> throw unexpected(json, field, "true, false, a number or a string");
    }
    return parameter.build();
  }

  private static String text(JsonParser json, String field) throws IOException {
    expect(json, field, JsonToken.VALUE_STRING, "a string");
    return json.getText();
  }

  private static <T> T present(Optional<T> value, String field) {
    return value.orElseThrow(() -> InferenceException.invalid(field + ": missing, expected it"));
  }

  private static void expect(JsonParser json, String field, JsonToken token, String wanted) {
    if (json.currentToken() != token) {
      throw unexpected(json, field, wanted);
    }
  }

  private static InferenceException unexpected(JsonParser json, String field, String wanted) {
    JsonToken token = json.currentToken();
    String got =
        switch (token) {
          case null -> "nothing";
          case START_OBJECT, END_OBJECT -> "an object";
          case START_ARRAY, END_ARRAY -> "an array";
          case VALUE_STRING -> "a string";
          case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
          case VALUE_TRUE, VALUE_FALSE -> "a boolean";
          case VALUE_NULL -> "null";
          case FIELD_NAME, NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT -> token.name();
        };
    return InferenceException.invalid("%s: got %s, expected %s".formatted(field, got, wanted));
  }
}
