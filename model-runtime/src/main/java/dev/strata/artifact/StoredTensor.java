package dev.strata.artifact;

import dev.strata.graph.Shape;

/// A tensor's place in an artifact.
///
/// @param offset byte of the file where it begins; a multiple of 64
/// @param length bytes
/// @param section index of the section it belongs to
public record StoredTensor(
    String name, StoredType type, Shape shape, long offset, long length, int section) {

  /// Names that begin so belong to tensors that only fill the gap to the next multiple of 64.
  public static final String PADDING_PREFIX = "pad.";

  public boolean isPadding() {
    return name.startsWith(PADDING_PREFIX);
  }

  public long end() {
    return offset + length;
  }
}
