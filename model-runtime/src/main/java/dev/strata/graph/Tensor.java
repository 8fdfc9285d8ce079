package dev.strata.graph;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// A value with its type and shape, as it is on the wire: row-major, little-endian, without
/// padding. BYTES elements carry a 32-bit length each. The bytes are borrowed; whoever made the
/// segments owns them. They may lie in several pieces, as they came from a network or from several
/// requests, so that they need not be put together before they are copied to where they are used.
///
/// @param type element type
/// @param shape static shape
/// @param pieces one after the other exactly the elements' bytes; heap or native
public record Tensor(DataType type, Shape shape, List<MemorySegment> pieces) {

  public Tensor {
    pieces = List.copyOf(pieces);
    if (type != DataType.BYTES) {
      long expected = Math.multiplyExact(shape.elements(), type.byteSize());
      long got = bytes(pieces);
      if (got != expected) {
        throw new IllegalArgumentException(
            "tensor %s %s: got %d bytes, expected %d".formatted(type, shape, got, expected));
      }
    }
  }

  /// A tensor in one piece.
  public Tensor(DataType type, Shape shape, MemorySegment data) {
    this(type, shape, List.of(data));
  }

  private static long bytes(List<MemorySegment> pieces) {
    long bytes = 0;
    for (MemorySegment piece : pieces) {
      bytes += piece.byteSize();
    }
    return bytes;
  }

  public long byteSize() {
    return bytes(pieces);
  }

  /// All bytes in one segment; those of several pieces are put together anew with each call.
  public MemorySegment data() {
    return pieces.size() == 1 ? pieces.getFirst() : copy().pieces.getFirst();
  }

  /// The same on the heap, in one piece, for the caller to keep.
  public Tensor copy() {
    MemorySegment bytes = MemorySegment.ofArray(new byte[Math.toIntExact(byteSize())]);
    copyTo(bytes);
    return new Tensor(type, shape, bytes);
  }

  /// @param target of this size at least
  public void copyTo(MemorySegment target) {
    long at = 0;
    for (MemorySegment piece : pieces) {
      MemorySegment.copy(piece, 0, target, at, piece.byteSize());
      at += piece.byteSize();
    }
  }

  public static Tensor of(Shape shape, float[] values) {
    byte[] bytes = new byte[values.length * Float.BYTES];
    java.nio.ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
    return new Tensor(DataType.FP32, shape, MemorySegment.ofArray(bytes));
  }

  public static Tensor of(Shape shape, long[] values) {
    byte[] bytes = new byte[values.length * Long.BYTES];
    java.nio.ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().put(values);
    return new Tensor(DataType.INT64, shape, MemorySegment.ofArray(bytes));
  }

  /// One-dimensional BYTES tensor.
  public static Tensor ofBytes(List<byte[]> elements) {
    int total = 0;
    for (byte[] element : elements) {
      total = Math.addExact(total, Math.addExact(element.length, Integer.BYTES));
    }
    byte[] data = new byte[total];
    java.nio.ByteBuffer out = java.nio.ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    for (byte[] element : elements) {
      out.putInt(element.length).put(element);
    }
    return new Tensor(DataType.BYTES, Shape.of(elements.size()), MemorySegment.ofArray(data));
  }

  public float[] toFloats() {
    require(DataType.FP32);
    MemorySegment data = data();
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = data.get(JAVA_FLOAT_UNALIGNED, (long) i * Float.BYTES);
    }
    return values;
  }

  public long[] toLongs() {
    require(DataType.INT64);
    MemorySegment data = data();
    long[] values = new long[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = data.get(JAVA_LONG_UNALIGNED, (long) i * Long.BYTES);
    }
    return values;
  }

  /// Elements of a BYTES tensor.
  ///
  /// @throws IllegalArgumentException if a length does not fit or the count is not the shape's
  public List<byte[]> toByteArrays() {
    require(DataType.BYTES);
    MemorySegment data = data();
    long count = shape.elements();
    if (count > data.byteSize() / Integer.BYTES) {
      throw new IllegalArgumentException(
          "BYTES tensor %s: got %d bytes, too few for %d elements"
              .formatted(shape, data.byteSize(), count));
    }
    List<byte[]> elements = new ArrayList<>((int) count);
    long position = 0;
    for (long i = 0; i < count; i++) {
      long left = data.byteSize() - position;
      int length = left < Integer.BYTES ? -1 : data.get(JAVA_INT_UNALIGNED, position);
      if (length < 0 || length > left - Integer.BYTES) {
        throw new IllegalArgumentException(
            "BYTES tensor %s: element %d at byte %d does not fit in the %d bytes left"
                .formatted(shape, i, position, left));
      }
      elements.add(
          data.asSlice(position + Integer.BYTES, length)
              .toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
      position += Integer.BYTES + length;
    }
    if (position != data.byteSize()) {
      throw new IllegalArgumentException(
          "BYTES tensor %s: %d bytes left over after %d elements"
              .formatted(shape, data.byteSize() - position, count));
    }
    return elements;
  }

  private void require(DataType wanted) {
    if (type != wanted) {
      throw new IllegalArgumentException("tensor: got %s, expected %s".formatted(type, wanted));
    }
  }
}
