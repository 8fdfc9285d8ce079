package dev.strata.artifact;

import dev.strata.graph.DataType;
import dev.strata.graph.Shape;

/// The element types of an artifact, named as safetensors names them.
public enum StoredType {
  U8(1),
  F32(4),
  I64(8);

  private final int byteSize;

  StoredType(int byteSize) {
    this.byteSize = byteSize;
  }

  public int byteSize() {
    return byteSize;
  }

  /// @throws ArithmeticException if the byte count does not fit in a long
  long bytes(Shape shape) {
    return Math.multiplyExact(shape.elements(), byteSize);
  }

  /// The type a graph's constant is stored as.
  static StoredType of(DataType type) {
    return switch (type) {
      case UINT8 -> U8;
      case FP32 -> F32;
      case INT64 -> I64;
      case BOOL, UINT16, UINT32, UINT64, INT8, INT16, INT32, FP16, BF16, FP64, BYTES ->
          throw new IllegalArgumentException(
              "stored type: got %s, expected UINT8, FP32 or INT64".formatted(type));
    };
  }
}
