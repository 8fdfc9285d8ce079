package dev.strata.artifact;

import dev.strata.precision.Bits;
import java.io.IOException;
import java.nio.file.Path;

/// Makes the smaller file of the first bits: a whole artifact whose header names only what it has.
/// Its sections are byte for byte those of the source.
public final class ArtifactSlicer {
  private ArtifactSlicer() {}

  /// @param bits the widest precision to keep
  /// @throws IllegalArgumentException if the source does not have that precision
  public static void slice(Path source, Bits bits, Path target) throws IOException {
    try (ModelArtifact artifact = ModelArtifact.open(source)) {
      artifact.description().profile(bits);
      ArtifactWriter.write(
          target,
          ModelArtifact.upTo(artifact.description(), bits.count()),
          artifact.cascade(),
          artifact);
    }
  }
}
