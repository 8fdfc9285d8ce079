package dev.strata.artifact;

import java.io.IOException;
import java.nio.file.Path;

/// A file that is not an intact artifact: cut, changed, or never one. Says where and what.
public final class CorruptArtifactException extends IOException {
  private static final long serialVersionUID = 1L;

  private final transient Path path;
  private final String section;
  private final long offset;
  private final String expected;
  private final String found;

  /// @param section which part is damaged: [ArtifactSection#HEADER] or a section's name
  /// @param offset first byte of the file that the complaint is about
  CorruptArtifactException(Path path, String section, long offset, String expected, String found) {
    super(
        "%s: %s at byte %d: expected %s, found %s"
            .formatted(path, section, offset, expected, found));
    this.path = path;
    this.section = section;
    this.offset = offset;
    this.expected = expected;
    this.found = found;
  }

  public Path path() {
    return path;
  }

  public String section() {
    return section;
  }

  public long offset() {
    return offset;
  }

  public String expected() {
    return expected;
  }

  public String found() {
    return found;
  }
}
