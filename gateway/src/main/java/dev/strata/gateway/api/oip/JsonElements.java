package dev.strata.gateway.api.oip;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.strata.gateway.api.Elements;
import dev.strata.gateway.api.TensorReader;
import dev.strata.gateway.call.InferenceException;
import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Elements as a JSON array inside a request's body, flat or nested like the shape.
///
/// @param factory how JSON is read here
/// @param body the request's body, borrowed
/// @param offset where the array's bracket opens
/// @param length bytes up to and with the closing bracket
@SuppressWarnings("ArrayRecordComponent")
record JsonElements(JsonFactory factory, byte[] body, int offset, int length) implements Elements {

  @Override
  public Tensor read(String field, DataType type, Shape shape) {
    if (type == DataType.FP16 || type == DataType.BF16) {
      throw InferenceException.invalid(
          "%s: data: %s has no JSON form, expected binary data".formatted(field, type));
    }
    long count = shape.elements();
    // An element takes a character and a separator at least.
    if (count > length / 2 + 1) {
      throw InferenceException.invalid(
          "%s: data: got %d bytes of JSON, too few for the %d elements of shape %s"
              .formatted(field, length, count, shape));
    }
    try (JsonParser json = factory.createParser(body, offset, length)) {
      json.nextToken();
      boolean nested = json.nextToken() == JsonToken.START_ARRAY && shape.rank() > 0;
      long[] dims = nested ? shape.toArray() : new long[] {count};
      int capacity = Math.toIntExact(count * Math.max(Integer.BYTES, type.byteSize()));
      Walk walk = new Walk(json, field, type, dims, capacity);
      walk.array(0);
      return new Tensor(type, shape, walk.written());
    } catch (JsonProcessingException malformed) {
      throw OipJson.malformed(field + ": data", malformed);
    } catch (IOException impossible) {
      throw new UncheckedIOException("reading from memory", impossible);
    }
  }

  /// One pass over the array, writing as it goes.
  private static final class Walk {
    private final JsonParser json;
    private final String field;
    private final DataType type;
    private final long[] dims;
    private ByteBuffer out;

    Walk(JsonParser json, String field, DataType type, long[] dims, int capacity) {
      this.json = json;
      this.field = field;
      this.type = type;
      this.dims = dims;
      this.out = ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN);
    }

    MemorySegment written() {
      return MemorySegment.ofArray(out.array()).asSlice(0, out.position());
    }

    /// Reads to the end of an array whose bracket and first token have been read.
    void array(int depth) throws IOException {
      boolean innermost = depth == dims.length - 1;
      long count = 0;
      for (; json.currentToken() != JsonToken.END_ARRAY; json.nextToken()) {
        if (count == dims[depth]) {
          throw wrongCount("more than " + count, depth);
        }
        if (innermost) {
          element();
        } else if (json.currentToken() == JsonToken.START_ARRAY) {
          json.nextToken();
          array(depth + 1);
        } else {
          throw wrong("an array");
        }
        count++;
      }
      if (count != dims[depth]) {
        throw wrongCount(Long.toString(count), depth);
      }
    }

    private InferenceException wrongCount(String got, int depth) {
      return InferenceException.invalid(
          "%s: data: got %s elements, expected %d%s"
              .formatted(field, got, dims[depth], depth == 0 ? "" : " in dimension " + depth));
    }

    private void element() throws IOException {
      switch (type) {
        case BOOL -> out.put(bool());
        case INT8 -> out.put((byte) integer(Byte.MIN_VALUE, Byte.MAX_VALUE));
        case INT16 -> out.putShort((short) integer(Short.MIN_VALUE, Short.MAX_VALUE));
        case INT32 -> out.putInt((int) integer(Integer.MIN_VALUE, Integer.MAX_VALUE));
        case INT64 -> out.putLong(integer(Long.MIN_VALUE, Long.MAX_VALUE));
        case UINT8 -> out.put((byte) integer(0, 0xFF));
        case UINT16 -> out.putShort((short) integer(0, 0xFFFF));
        case UINT32 -> out.putInt((int) integer(0, 0xFFFF_FFFFL));
        case UINT64 -> out.putLong(unsigned());
        case FP32 -> out.putFloat(fp32());
        case FP64 -> out.putDouble(fp64());
        case BYTES -> text();
        case FP16, BF16 -> throw new AssertionError(type);
      }
    }

    private byte bool() throws IOException {
      return switch (json.currentToken()) {
        case VALUE_TRUE -> 1;
        case VALUE_FALSE -> 0;
        case VALUE_NUMBER_INT -> (byte) integer(0, 1);
        default -> throw wrong("true or false");
      };
    }

    private long integer(long least, long most) throws IOException {
      if (json.currentToken() != JsonToken.VALUE_NUMBER_INT) {
        throw wrong("an integer");
      }
      long value = json.getLongValue();
      if (value < least || value > most) {
        throw wrong("%d to %d".formatted(least, most));
      }
      return value;
    }

    private long unsigned() throws IOException {
      if (json.currentToken() != JsonToken.VALUE_NUMBER_INT) {
        throw wrong("an integer");
      }
      BigInteger value = json.getBigIntegerValue();
      if (value.signum() < 0 || value.bitLength() > Long.SIZE) {
        throw wrong("0 to 2^64 - 1");
      }
      return value.longValue();
    }

    private float fp32() throws IOException {
      number();
      float value = json.getFloatValue();
      if (!Float.isFinite(value)) {
        throw wrong("a number that FP32 can hold");
      }
      return value;
    }

    private double fp64() throws IOException {
      number();
      double value = json.getDoubleValue();
      if (!Double.isFinite(value)) {
        throw wrong("a number that FP64 can hold");
      }
      return value;
    }

    private void number() throws IOException {
      if (!json.currentToken().isNumeric()) {
        throw wrong("a number");
      }
    }

    private void text() throws IOException {
      if (json.currentToken() != JsonToken.VALUE_STRING) {
        throw wrong("a string");
      }
      byte[] utf8 = json.getText().getBytes(StandardCharsets.UTF_8);
      int needed = Integer.BYTES + utf8.length;
      if (out.remaining() < needed) {
        int size = Math.max(out.position() + needed, 2 * out.capacity());
        out =
            ByteBuffer.wrap(Arrays.copyOf(out.array(), size))
                .order(ByteOrder.LITTLE_ENDIAN)
                .position(out.position());
      }
      out.putInt(utf8.length).put(utf8);
    }

    private InferenceException wrong(String expected) throws IOException {
      String got = json.getText();
      return InferenceException.invalid(
          "%s: data: got %s, expected %s".formatted(field, TensorReader.excerpt(got), expected));
    }
  }
}
