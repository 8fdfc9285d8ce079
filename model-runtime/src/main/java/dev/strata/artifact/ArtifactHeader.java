package dev.strata.artifact;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.strata.artifact.HeaderJson.PrefixEntry;
import dev.strata.graph.ConfidenceCascade;
import dev.strata.graph.ModelDescription;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The checked header of an artifact: which tensors and sections the whole file has, and what it
/// says of its model. Whether the file goes that far is [ModelArtifact]'s question.
///
/// @param dataOffset byte of the file where the first tensor begins
/// @param sha256 the hash of length and header, 64 lower-case hex digits
/// @param cascade how the model answers with two widths, if that was measured
/// @param tensors in file order, padding included
/// @param sections section 0 and one for each profile
record ArtifactHeader(
    long dataOffset,
    String sha256,
    ModelDescription description,
    Optional<ConfidenceCascade> cascade,
    List<StoredTensor> tensors,
    List<ArtifactSection> sections) {

  static final int LENGTH_BYTES = Long.BYTES;
  static final int ALIGNMENT = 64;

  private static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /// Reads and checks the header, in the order that docs/artifact-format.md gives.
  ///
  /// @param path for messages
  /// @param file the whole file
  static ArtifactHeader read(Path path, MemorySegment file) throws CorruptArtifactException {
    return new Reader(path, file).read();
  }

  /// Bytes of the JSON that follows the length, within their bounds.
  ///
  /// @param file at least the length itself
  private static long jsonBytes(HeaderFaults faults, MemorySegment file)
      throws CorruptArtifactException {
    long length = file.get(LENGTH, 0);
    faults.require(
        length >= 2 && length <= HeaderJson.MAX_HEADER_BYTES,
        0,
        "a header length of 2 to " + HeaderJson.MAX_HEADER_BYTES,
        Long.toUnsignedString(length));
    return length;
  }

  /// @param start the first [#LENGTH_BYTES] bytes of a file
  /// @return bytes of length and header together
  static long length(Path path, MemorySegment start) throws CorruptArtifactException {
    return LENGTH_BYTES + jsonBytes(new HeaderFaults(path), start);
  }

  private static final class Reader {
    private final Path path;
    private final MemorySegment file;
    private final HeaderFaults faults;
    private final byte[] json;
    private final long dataOffset;
    private final List<HeaderListing> listings;
    private final Map<String, String> metadata;

    Reader(Path path, MemorySegment file) throws CorruptArtifactException {
      this.path = path;
      this.file = file;
      faults = new HeaderFaults(path);
      json = readBytes();
      dataOffset = LENGTH_BYTES + (long) json.length;
      faults.require(
          dataOffset % ALIGNMENT == 0,
          0,
          "tensor data at a multiple of " + ALIGNMENT,
          "at " + dataOffset);
      HeaderParser parser = new HeaderParser(faults, json);
      listings = parser.listings();
      metadata = parser.metadata();
    }

    ArtifactHeader read() throws CorruptArtifactException {
      checkListings();
      faults.require(
          HeaderJson.FORMAT_VERSION.equals(metadata.get(HeaderJson.FORMAT)),
          LENGTH_BYTES,
          HeaderJson.FORMAT + " \"" + HeaderJson.FORMAT_VERSION + "\"",
          String.valueOf(metadata.get(HeaderJson.FORMAT)));
      List<ArtifactSection> sections = readSections();
      String sha256 = required(HeaderJson.HEADER_SHA256);
      HeaderHash.check(path, json, sha256);
      ModelDescription description = read(HeaderJson.MODEL, ModelDescription.class);
      Optional<ConfidenceCascade> cascade =
          metadata.containsKey(HeaderJson.CASCADE)
              ? Optional.of(read(HeaderJson.CASCADE, ConfidenceCascade.class))
              : Optional.empty();
      return new ArtifactHeader(
          dataOffset, sha256, description, cascade, place(sections), sections);
    }

    private byte[] readBytes() throws CorruptArtifactException {
      faults.require(
          file.byteSize() >= LENGTH_BYTES,
          file.byteSize(),
          "at least " + LENGTH_BYTES + " bytes",
          file.byteSize() + " bytes");
      long length = jsonBytes(faults, file);
      faults.require(
          length <= file.byteSize() - LENGTH_BYTES,
          file.byteSize(),
          "a file of at least " + (length + LENGTH_BYTES) + " bytes",
          file.byteSize() + " bytes");
      return file.asSlice(LENGTH_BYTES, length).toArray(ValueLayout.JAVA_BYTE);
    }

    /// Every tensor is as long as its shape says, begins where the one before it ends, and is
    /// aligned.
    private void checkListings() throws CorruptArtifactException {
      long position = 0;
      for (HeaderListing listing : listings) {
        String name = "tensor '" + listing.name() + "'";
        long length;
        try {
          length = listing.type().bytes(listing.shape());
        } catch (ArithmeticException overflow) {
          throw faults.damaged(
              LENGTH_BYTES, name + " of less than 2^63 bytes", "shape " + listing.shape());
        }
        faults.require(
            listing.begin() <= listing.end() && listing.end() - listing.begin() == length,
            LENGTH_BYTES,
            "%s of %d bytes (%s %s)".formatted(name, length, listing.type(), listing.shape()),
            "data_offsets [%d, %d]".formatted(listing.begin(), listing.end()));
        faults.require(
            listing.begin() == position,
            LENGTH_BYTES,
            "%s at data offset %d, where the one before it ends".formatted(name, position),
            "%d, %s"
                .formatted(listing.begin(), listing.begin() < position ? "an overlap" : "a hole"));
        faults.require(
            listing.begin() % ALIGNMENT == 0
                || listing.name().startsWith(StoredTensor.PADDING_PREFIX),
            LENGTH_BYTES,
            name + " at a multiple of " + ALIGNMENT,
            Long.toString(listing.begin()));
        position = listing.end();
      }
      faults.require(
          position <= Long.MAX_VALUE - dataOffset,
          LENGTH_BYTES,
          "less than 2^63 bytes of data",
          Long.toString(position));
    }

    private List<ArtifactSection> readSections() throws CorruptArtifactException {
      PrefixEntry[] entries = read(HeaderJson.PREFIX, PrefixEntry[].class);
      List<ArtifactSection> sections = new ArrayList<>();
      long offset = dataOffset;
      for (PrefixEntry entry : entries) {
        faults.require(entry != null, LENGTH_BYTES, HeaderJson.PREFIX + " without nulls", "null");
        faults.require(
            entry.section() == sections.size() && entry.length() >= offset,
            LENGTH_BYTES,
            "%s: section %d with a length of at least %d"
                .formatted(HeaderJson.PREFIX, sections.size(), offset),
            "section %d with %d".formatted(entry.section(), entry.length()));
        faults.require(
            HeaderHash.isDigest(entry.sha256()),
            LENGTH_BYTES,
            HeaderJson.PREFIX + ": a SHA-256 in lower-case hex",
            "'" + entry.sha256() + "'");
        sections.add(
            new ArtifactSection(
                entry.section(),
                offset,
                entry.length(),
                entry.sha256(),
                entry.length() <= file.byteSize()));
        offset = entry.length();
      }
      long end = dataOffset + (listings.isEmpty() ? 0 : listings.getLast().end());
      faults.require(
          sections.size() >= 2 && offset == end,
          LENGTH_BYTES,
          HeaderJson.PREFIX + ": two sections or more that end at " + end,
          sections.size() + " that end at " + offset);
      return List.copyOf(sections);
    }

    /// Gives each tensor its section; none may reach over a section's end. One without bytes goes
    /// to the earlier of the two sections that it lies between.
    private List<StoredTensor> place(List<ArtifactSection> sections)
        throws CorruptArtifactException {
      List<StoredTensor> placed = new ArrayList<>();
      int section = 0;
      for (HeaderListing listing : listings) {
        long begin = dataOffset + listing.begin();
        long end = dataOffset + listing.end();
        while (section < sections.size() - 1 && isBehind(begin, end, sections.get(section))) {
          section++;
        }
        faults.require(
            end <= sections.get(section).end(),
            LENGTH_BYTES,
            "tensor '%s' within %s, which ends at %d"
                .formatted(
                    listing.name(), ArtifactSection.label(section), sections.get(section).end()),
            "it ends at " + end);
        placed.add(
            new StoredTensor(
                listing.name(), listing.type(), listing.shape(), begin, end - begin, section));
      }
      return List.copyOf(placed);
    }

    private static boolean isBehind(long begin, long end, ArtifactSection section) {
      return begin > section.end() || (begin == section.end() && end > begin);
    }

    /// Reads the JSON that a metadata value holds.
    private <T> T read(String key, Class<T> type) throws CorruptArtifactException {
      T value;
      try {
        value = HeaderJson.MAPPER.readValue(required(key), type);
      } catch (JsonProcessingException failure) {
        throw faults.notJson(key, failure);
      }
      faults.require(value != null, LENGTH_BYTES, key, "null");
      return value;
    }

    private String required(String key) throws CorruptArtifactException {
      String value = metadata.get(key);
      faults.require(value != null, LENGTH_BYTES, "metadata " + key, "none");
      return value;
    }
  }
}
