package dev.strata.gateway.api.oip;

import com.google.protobuf.ByteString;
import dev.strata.gateway.api.Elements;
import dev.strata.gateway.call.InferenceException;
import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import inference.InferTensorContents;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/// Elements in the typed fields of a gRPC message: exactly the field that belongs to the datatype,
/// and a value for every element. Numbers that do not fit a narrow type are refused, not cut.
record TypedElements(InferTensorContents contents) implements Elements {

  @Override
  public Tensor read(String field, DataType type, Shape shape) {
    int count = count(field, type);
    if (count != shape.elements()) {
      throw InferenceException.invalid(
          "%s: contents: got %d elements, expected %d for shape %s"
              .formatted(field, count, shape.elements(), shape));
    }
    if (others(count) != 0) {
      throw InferenceException.invalid(
          "%s: contents: got more than one field, expected the one for %s".formatted(field, type));
    }
    ByteBuffer out = ByteBuffer.allocate(bytes(type, count)).order(ByteOrder.LITTLE_ENDIAN);
    write(field, type, out);
    return new Tensor(type, shape, MemorySegment.ofArray(out.array()));
  }

  private int count(String field, DataType type) {
    return switch (type) {
      case BOOL -> contents.getBoolContentsCount();
      case INT8, INT16, INT32 -> contents.getIntContentsCount();
      case INT64 -> contents.getInt64ContentsCount();
      case UINT8, UINT16, UINT32 -> contents.getUintContentsCount();
      case UINT64 -> contents.getUint64ContentsCount();
      case FP32 -> contents.getFp32ContentsCount();
      case FP64 -> contents.getFp64ContentsCount();
      case BYTES -> contents.getBytesContentsCount();
      case FP16, BF16 ->
          throw InferenceException.invalid(
              "%s: contents: %s has no typed field, expected raw_input_contents"
                  .formatted(field, type));
    };
  }

  private long others(int count) {
    return (long) contents.getBoolContentsCount()
        + contents.getIntContentsCount()
        + contents.getInt64ContentsCount()
        + contents.getUintContentsCount()
        + contents.getUint64ContentsCount()
        + contents.getFp32ContentsCount()
        + contents.getFp64ContentsCount()
        + contents.getBytesContentsCount()
        - count;
  }

  private int bytes(DataType type, int count) {
    if (type != DataType.BYTES) {
      return count * type.byteSize();
    }
    return contents.getBytesContentsList().stream()
        .mapToInt(element -> Integer.BYTES + element.size())
        .reduce(0, Math::addExact);
  }

  private void write(String field, DataType type, ByteBuffer out) {
    switch (type) {
      case BOOL -> contents.getBoolContentsList().forEach(v -> out.put((byte) (v ? 1 : 0)));
      case INT8 -> narrow(field, type, contents.getIntContentsList(), -128, 127, out);
      case INT16 -> narrow(field, type, contents.getIntContentsList(), -32_768, 32_767, out);
      case UINT8 -> narrow(field, type, contents.getUintContentsList(), 0, 255, out);
      case UINT16 -> narrow(field, type, contents.getUintContentsList(), 0, 65_535, out);
      case INT32 -> contents.getIntContentsList().forEach(out::putInt);
      case UINT32 -> contents.getUintContentsList().forEach(out::putInt);
      case INT64 -> contents.getInt64ContentsList().forEach(out::putLong);
      case UINT64 -> contents.getUint64ContentsList().forEach(out::putLong);
      case FP32 -> contents.getFp32ContentsList().forEach(out::putFloat);
      case FP64 -> contents.getFp64ContentsList().forEach(out::putDouble);
      case BYTES -> {
        for (ByteString element : contents.getBytesContentsList()) {
          out.putInt(element.size());
          element.copyTo(out);
        }
      }
      case FP16, BF16 -> throw new AssertionError(type);
    }
  }

  private static void narrow(
      String field, DataType type, List<Integer> values, int least, int most, ByteBuffer out) {
    for (int i = 0; i < values.size(); i++) {
      int value = values.get(i);
      if (value < least || value > most) {
        throw InferenceException.invalid(
            "%s: contents: element %d: got %d, expected %d to %d for %s"
                .formatted(field, i, value, least, most, type));
      }
      if (type.byteSize() == 1) {
        out.put((byte) value);
      } else {
        out.putShort((short) value);
      }
    }
  }
}
