package dev.strata.gateway.api;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.strata.gateway.call.InferenceException;
import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Elements that are already in the runtime's form. They are checked and borrowed, not copied.
public record RawElements(MemorySegment data) implements Elements {

  static final ValueLayout.OfInt LENGTH = JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @Override
  public MemorySegment read(String field, DataType type, Shape shape) {
    if (type == DataType.BYTES) {
      checkLengths(field, shape.elements());
    } else {
      long expected = shape.elements() * type.byteSize();
      if (data.byteSize() != expected) {
        throw InferenceException.invalid(
            "%s: data: got %d bytes, expected %d for %s %s"
                .formatted(field, data.byteSize(), expected, type, shape));
      }
    }
    return data;
  }

  private void checkLengths(String field, long count) {
    long position = 0;
    for (long element = 0; element < count; element++) {
      long left = data.byteSize() - position;
      long length = left < Integer.BYTES ? -1 : Integer.toUnsignedLong(data.get(LENGTH, position));
      if (length < 0 || length > left - Integer.BYTES) {
        throw InferenceException.invalid(
            "%s: data: element %d of %d starts at byte %d, got %d bytes left, too few for it"
                .formatted(field, element, count, position, left));
      }
      position += Integer.BYTES + length;
    }
    if (position != data.byteSize()) {
      throw InferenceException.invalid(
          "%s: data: got %d bytes, expected %d for %d elements"
              .formatted(field, data.byteSize(), position, count));
    }
  }
}
