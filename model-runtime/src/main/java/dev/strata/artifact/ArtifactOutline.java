package dev.strata.artifact;

import dev.strata.graph.ModelDescription;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;

/// What the header alone tells of an artifact: how long it is, where each width ends and what its
/// bytes hash to. Enough to receive the rest piece by piece and to know when a piece is whole.
///
/// @param sha256 the header's hash, which covers all sections' hashes and so names the content
/// @param description with every profile
/// @param sections section 0 and one for each profile; whether they are present says nothing here
public record ArtifactOutline(
    String sha256, ModelDescription description, List<ArtifactSection> sections) {

  /// How many bytes a file has to be read to know the length of its header.
  public static final int START_BYTES = ArtifactHeader.LENGTH_BYTES;

  public ArtifactOutline {
    sections = List.copyOf(sections);
  }

  /// @param path for messages
  /// @param start the first [#START_BYTES] bytes of the file
  /// @return how many bytes of the file [#read] needs
  /// @throws CorruptArtifactException if no artifact begins so
  public static int headerBytes(Path path, byte[] start) throws CorruptArtifactException {
    return Math.toIntExact(ArtifactHeader.length(path, MemorySegment.ofArray(start)));
  }

  /// Reads and checks a header, as opening the file would.
  ///
  /// @param path for messages
  /// @param header the first [#headerBytes] bytes of the file
  public static ArtifactOutline read(Path path, byte[] header) throws CorruptArtifactException {
    ArtifactHeader read = ArtifactHeader.read(path, MemorySegment.ofArray(header));
    return new ArtifactOutline(read.sha256(), read.description(), read.sections());
  }

  /// Length of the whole file.
  public long bytes() {
    return sections.getLast().end();
  }

  /// The widest precision of the whole file.
  public int widths() {
    return sections.size() - 1;
  }

  /// Length of the file that `bits` bits depend on.
  public long prefixBytes(int bits) {
    return sections.get(bits).end();
  }
}
