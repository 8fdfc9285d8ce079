package dev.strata.artifact;

/// A run of tensors with its own hash. The file up to the end of section b is a model of b bits.
///
/// @param index 0 for what every precision shares, else the width whose planes it adds
/// @param offset byte of the file where it begins
/// @param end byte of the file after its last
/// @param sha256 of its bytes, 64 lower-case hex digits
/// @param present whether the file goes that far
public record ArtifactSection(int index, long offset, long end, String sha256, boolean present) {

  /// What messages call the part before section 0.
  public static final String HEADER = "header";

  public long length() {
    return end - offset;
  }

  /// What messages call this section.
  public String label() {
    return label(index);
  }

  static String label(int index) {
    return index == 0 ? "section 0 (shared)" : "section %d (plane %d)".formatted(index, index);
  }
}
