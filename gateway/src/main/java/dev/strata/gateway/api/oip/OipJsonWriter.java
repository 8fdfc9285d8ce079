package dev.strata.gateway.api.oip;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.InferenceResult;
import dev.strata.graph.DataType;
import dev.strata.graph.Tensor;
import inference.InferParameter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

/// Writes the answer of a REST inference: a JSON object, then the tensors asked for in binary.
final class OipJsonWriter {

  /// @param jsonLength length of the JSON part; empty if there is nothing else
  @SuppressWarnings("ArrayRecordComponent")
  record Body(byte[] bytes, OptionalInt jsonLength) {}

  /// The request parameter that asks for all outputs in binary.
  static final String BINARY_DATA_OUTPUT = "binary_data_output";

  private static final JsonFactory FACTORY = new JsonFactory();

  private final ByteArrayOutputStream tail = new ByteArrayOutputStream();
  private final Map<String, Boolean> binary = new HashMap<>();
  private final boolean binaryByDefault;

  private final boolean event;

  /// An answer among several, all in JSON.
  private OipJsonWriter() {
    binaryByDefault = false;
    event = true;
  }

  private OipJsonWriter(OipCall call) {
    event = false;
    binaryByDefault = isTrue(call.parameters().get(BINARY_DATA_OUTPUT));
    for (OipCall.Output output : call.outputs()) {
      InferParameter wish = output.parameters().get("binary_data");
      if (wish != null) {
        binary.put(output.name(), isTrue(wish));
      }
    }
  }

  /// @param call the request, for which outputs it wants in binary
  /// @throws InferenceException if an output has no JSON form
  static Body write(InferenceResult result, OipCall call) {
    return new OipJsonWriter(call).body(result);
  }

  /// One answer of a stream, which says whether it is the last; its tensors are JSON.
  ///
  /// @throws InferenceException if an output has no JSON form
  static byte[] writeEvent(InferenceResult result) {
    return new OipJsonWriter().body(result).bytes();
  }

  private Body body(InferenceResult result) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = FACTORY.createGenerator(out)) {
      json.writeStartObject();
      if (!result.id().isEmpty()) {
        json.writeStringField("id", result.id());
      }
      json.writeStringField("model_name", result.model());
      json.writeStringField("model_version", result.version());
      json.writeObjectFieldStart("parameters");
      json.writeNumberField(OipCodec.BITS, result.bits().count());
      json.writeStringField("requested", result.requested().text());
      json.writeStringField("bits_reason", result.reason().label());
      if (result.cached()) {
        json.writeBooleanField("cached", true);
      }
      if (event) {
        json.writeBooleanField(OipGrpcStream.FINAL, result.last());
      }
      json.writeNumberField("queue_us", result.queueMicros());
      json.writeNumberField("compute_us", result.computeMicros());
      json.writeEndObject();
      json.writeArrayFieldStart("outputs");
      for (InferenceResult.Output output : result.outputs()) {
        output(json, output);
      }
      json.writeEndArray();
      json.writeEndObject();
    } catch (IOException impossible) {
      throw new UncheckedIOException("writing to memory", impossible);
    }
    if (tail.size() == 0) {
      return new Body(out.toByteArray(), OptionalInt.empty());
    }
    int jsonLength = out.size();
    out.writeBytes(tail.toByteArray());
    return new Body(out.toByteArray(), OptionalInt.of(jsonLength));
  }

  private void output(JsonGenerator json, InferenceResult.Output output) throws IOException {
    Tensor tensor = output.tensor();
    json.writeStartObject();
    json.writeStringField("name", output.name());
    json.writeStringField("datatype", tensor.type().name());
    json.writeArrayFieldStart("shape");
    for (long dim : tensor.shape().dims()) {
      json.writeNumber(dim);
    }
    json.writeEndArray();
    byte[] data = tensor.data().toArray(ValueLayout.JAVA_BYTE);
    if (binary.getOrDefault(output.name(), binaryByDefault)) {
      json.writeObjectFieldStart("parameters");
      json.writeNumberField(OipCodec.BINARY_DATA_SIZE, data.length);
      json.writeEndObject();
      tail.writeBytes(data);
    } else {
      json.writeArrayFieldStart("data");
      ByteBuffer in = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
      while (in.hasRemaining()) {
        element(json, output.name(), tensor.type(), in);
      }
      json.writeEndArray();
    }
    json.writeEndObject();
  }

  private static void element(JsonGenerator json, String name, DataType type, ByteBuffer in)
      throws IOException {
    switch (type) {
      case BOOL -> json.writeBoolean(in.get() != 0);
      case INT8 -> json.writeNumber(in.get());
      case INT16 -> json.writeNumber(in.getShort());
      case INT32 -> json.writeNumber(in.getInt());
      case INT64 -> json.writeNumber(in.getLong());
      case UINT8 -> json.writeNumber(Byte.toUnsignedInt(in.get()));
      case UINT16 -> json.writeNumber(Short.toUnsignedInt(in.getShort()));
      case UINT32 -> json.writeNumber(Integer.toUnsignedLong(in.getInt()));
      case UINT64 -> json.writeNumber(new BigInteger(Long.toUnsignedString(in.getLong())));
      case FP32 -> {
        float value = in.getFloat();
        finite(name, value);
        json.writeNumber(value);
      }
      case FP64 -> {
        double value = in.getDouble();
        finite(name, value);
        json.writeNumber(value);
      }
      case BYTES -> json.writeString(text(name, in));
      case FP16, BF16 -> throw noForm(name, type + " elements");
    }
  }

  private static void finite(String name, double value) {
    if (!Double.isFinite(value)) {
      throw noForm(name, Double.toString(value));
    }
  }

  private static String text(String name, ByteBuffer in) {
    int length = in.getInt();
    ByteBuffer element = in.slice(in.position(), length);
    in.position(in.position() + length);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(element).toString();
    } catch (CharacterCodingException notText) {
      throw noForm(name, "an element that is not UTF-8 text");
    }
  }

  private static InferenceException noForm(String name, String what) {
    return InferenceException.invalid(
        "output '%s': got %s, which has no JSON form; ask for it in binary by \"binary_data\": true"
            .formatted(name, what));
  }

  private static boolean isTrue(InferParameter parameter) {
    return parameter != null && parameter.getBoolParam();
  }
}
