package dev.strata.graph;

/// Element types, named as the Open Inference Protocol names them.
public enum DataType {
  BOOL(1),
  UINT8(1),
  UINT16(2),
  UINT32(4),
  UINT64(8),
  INT8(1),
  INT16(2),
  INT32(4),
  INT64(8),
  FP16(2),
  BF16(2),
  FP32(4),
  FP64(8),
  /// Each element is a little-endian 32-bit length followed by that many bytes.
  BYTES(0);

  private final int byteSize;

  DataType(int byteSize) {
    this.byteSize = byteSize;
  }

  /// @return bytes of one element, 0 for [#BYTES]
  public int byteSize() {
    return byteSize;
  }
}
