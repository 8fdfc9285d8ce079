package dev.strata.gateway.api;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.strata.gateway.call.InferenceException;
import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/// Elements that are already in the runtime's form. They are checked and borrowed, not copied; only
/// BYTES that lie in several pieces are put together, for an element may lie in two of them.
public record RawElements(List<MemorySegment> pieces) implements Elements {

  static final ValueLayout.OfInt LENGTH = JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /// The bytes of a message's field.
  public static RawElements of(ByteString bytes) {
    return new RawElements(
        bytes.asReadOnlyByteBufferList().stream().map(MemorySegment::ofBuffer).toList());
  }

  /// A message's field for a tensor's bytes, which are borrowed.
  public static ByteString bytes(Tensor tensor) {
    return UnsafeByteOperations.unsafeWrap(tensor.data().asByteBuffer());
  }

  @Override
  public Tensor read(String field, DataType type, Shape shape) {
    if (type == DataType.BYTES) {
      MemorySegment data = new Tensor(type, shape, pieces).data();
      checkLengths(field, data, shape.elements());
      return new Tensor(type, shape, data);
    }
    long expected = shape.elements() * type.byteSize();
    long got = pieces.stream().mapToLong(MemorySegment::byteSize).sum();
    if (got != expected) {
      throw InferenceException.invalid(
          "%s: data: got %d bytes, expected %d for %s %s"
              .formatted(field, got, expected, type, shape));
    }
    return new Tensor(type, shape, pieces);
  }

  private static void checkLengths(String field, MemorySegment data, long count) {
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
