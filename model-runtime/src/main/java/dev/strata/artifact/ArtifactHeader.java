package dev.strata.artifact;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.strata.artifact.HeaderJson.PrefixEntry;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The checked header of an artifact: which tensors and sections the whole file has, and what it
/// says of its model. Whether the file goes that far is [ModelArtifact]'s question.
///
/// @param dataOffset byte of the file where the first tensor begins
/// @param tensors in file order, padding included
/// @param sections section 0 and one for each profile
record ArtifactHeader(
    long dataOffset,
    ModelDescription description,
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

  /// A tensor as the JSON has it: offsets count from the data's begin.
  private record Listing(String name, StoredType type, Shape shape, long begin, long end) {}

  private static final class Reader {
    private final Path path;
    private final MemorySegment file;
    private final List<Listing> listings = new ArrayList<>();
    private final Map<String, String> metadata = new HashMap<>();
    private long dataOffset;

    Reader(Path path, MemorySegment file) {
      this.path = path;
      this.file = file;
    }

    ArtifactHeader read() throws CorruptArtifactException {
      byte[] json = readBytes();
      readJson(decode(json));
      checkListings();
      require(
          HeaderJson.FORMAT_VERSION.equals(metadata.get(HeaderJson.FORMAT)),
          LENGTH_BYTES,
          HeaderJson.FORMAT + " \"" + HeaderJson.FORMAT_VERSION + "\"",
          String.valueOf(metadata.get(HeaderJson.FORMAT)));
      List<ArtifactSection> sections = readSections();
      HeaderHash.check(path, json, required(HeaderJson.HEADER_SHA256));
      ModelDescription description = read(HeaderJson.MODEL, ModelDescription.class);
      return new ArtifactHeader(dataOffset, description, place(sections), sections);
    }

    private byte[] readBytes() throws CorruptArtifactException {
      require(
          file.byteSize() >= LENGTH_BYTES,
          file.byteSize(),
          "at least " + LENGTH_BYTES + " bytes",
          file.byteSize() + " bytes");
      long length = file.get(LENGTH, 0);
      require(
          length >= 2 && length <= HeaderJson.MAX_HEADER_BYTES,
          0,
          "a header length of 2 to " + HeaderJson.MAX_HEADER_BYTES,
          Long.toUnsignedString(length));
      require(
          length <= file.byteSize() - LENGTH_BYTES,
          file.byteSize(),
          "a file of at least " + (length + LENGTH_BYTES) + " bytes",
          file.byteSize() + " bytes");
      dataOffset = LENGTH_BYTES + length;
      require(
          dataOffset % ALIGNMENT == 0,
          0,
          "tensor data at a multiple of " + ALIGNMENT,
          "at " + dataOffset);
      return file.asSlice(LENGTH_BYTES, length).toArray(ValueLayout.JAVA_BYTE);
    }

    private String decode(byte[] json) throws CorruptArtifactException {
      try {
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json)).toString();
      } catch (CharacterCodingException failure) {
        throw damaged(LENGTH_BYTES, "UTF-8", "other bytes (" + failure.getMessage() + ")");
      }
    }

    private void readJson(String json) throws CorruptArtifactException {
      try (JsonParser parser = HeaderJson.MAPPER.createParser(json)) {
        expect(parser, parser.nextToken(), JsonToken.START_OBJECT);
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String name = parser.currentName();
          expect(parser, parser.nextToken(), JsonToken.START_OBJECT);
          if (name.equals(HeaderJson.METADATA)) {
            readMetadata(parser);
          } else {
            readListing(parser, name);
          }
        }
        expect(parser, parser.currentToken(), JsonToken.END_OBJECT);
        require(parser.nextToken() == null, LENGTH_BYTES, "one JSON object", "more text behind it");
      } catch (CorruptArtifactException failure) {
        throw failure;
      } catch (IOException failure) {
        throw notJson("JSON", failure);
      }
    }

    private void readMetadata(JsonParser parser) throws IOException {
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = parser.currentName();
        expect(parser, parser.nextToken(), JsonToken.VALUE_STRING);
        metadata.put(key, parser.getText());
      }
    }

    private void readListing(JsonParser parser, String name) throws IOException {
      String type = "";
      List<Long> shape = List.of();
      List<Long> offsets = List.of();
      int fields = 0;
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = parser.currentName();
        fields++;
        switch (key) {
          case "dtype" -> {
            expect(parser, parser.nextToken(), JsonToken.VALUE_STRING);
            type = parser.getText();
          }
          case "shape" -> shape = readLongs(parser);
          case "data_offsets" -> offsets = readLongs(parser);
          default -> throw at(parser, "dtype, shape, data_offsets", "'" + key + "'");
        }
      }
      if (fields != 3) {
        throw at(parser, "dtype, shape, data_offsets of '" + name + "'", fields + " of them");
      }
      if (offsets.size() != 2) {
        throw at(parser, "two data_offsets of '" + name + "'", offsets.toString());
      }
      listings.add(
          new Listing(
              name, type(parser, name, type), new Shape(shape), offsets.get(0), offsets.get(1)));
    }

    private StoredType type(JsonParser parser, String name, String type) throws IOException {
      for (StoredType known : StoredType.values()) {
        if (known.name().equals(type)) {
          return known;
        }
      }
      throw at(parser, "dtype U8, F32 or I64 of '" + name + "'", "'" + type + "'");
    }

    private List<Long> readLongs(JsonParser parser) throws IOException {
      expect(parser, parser.nextToken(), JsonToken.START_ARRAY);
      List<Long> values = new ArrayList<>();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        expect(parser, parser.currentToken(), JsonToken.VALUE_NUMBER_INT);
        long value = parser.getLongValue();
        if (value < 0) {
          throw at(parser, "numbers of 0 and more", Long.toString(value));
        }
        values.add(value);
      }
      return values;
    }

    private void expect(JsonParser parser, JsonToken found, JsonToken expected)
        throws CorruptArtifactException {
      if (found != expected) {
        throw at(parser, expected.toString(), String.valueOf(found));
      }
    }

    private CorruptArtifactException at(JsonParser parser, String expected, String found) {
      return damaged(
          LENGTH_BYTES + Math.max(0, parser.currentLocation().getCharOffset()), expected, found);
    }

    /// Every tensor is as long as its shape says, begins where the one before it ends, and is
    /// aligned.
    private void checkListings() throws CorruptArtifactException {
      long position = 0;
      for (Listing listing : listings) {
        String name = "tensor '" + listing.name() + "'";
        long length;
        try {
          length = listing.type().bytes(listing.shape());
        } catch (ArithmeticException overflow) {
          throw damaged(
              LENGTH_BYTES, name + " of less than 2^63 bytes", "shape " + listing.shape());
        }
        require(
            listing.begin() <= listing.end() && listing.end() - listing.begin() == length,
            LENGTH_BYTES,
            "%s of %d bytes (%s %s)".formatted(name, length, listing.type(), listing.shape()),
            "data_offsets [%d, %d]".formatted(listing.begin(), listing.end()));
        require(
            listing.begin() == position,
            LENGTH_BYTES,
            "%s at data offset %d, where the one before it ends".formatted(name, position),
            "%d, %s"
                .formatted(listing.begin(), listing.begin() < position ? "an overlap" : "a hole"));
        require(
            listing.begin() % ALIGNMENT == 0
                || listing.name().startsWith(StoredTensor.PADDING_PREFIX),
            LENGTH_BYTES,
            name + " at a multiple of " + ALIGNMENT,
            Long.toString(listing.begin()));
        position = listing.end();
      }
      require(
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
        require(entry != null, LENGTH_BYTES, HeaderJson.PREFIX + " without nulls", "null");
        require(
            entry.section() == sections.size() && entry.length() >= offset,
            LENGTH_BYTES,
            "%s: section %d with a length of at least %d"
                .formatted(HeaderJson.PREFIX, sections.size(), offset),
            "section %d with %d".formatted(entry.section(), entry.length()));
        require(
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
      require(
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
      for (Listing listing : listings) {
        long begin = dataOffset + listing.begin();
        long end = dataOffset + listing.end();
        while (section < sections.size() - 1 && isBehind(begin, end, sections.get(section))) {
          section++;
        }
        require(
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
        throw notJson(key, failure);
      }
      require(value != null, LENGTH_BYTES, key, "null");
      return value;
    }

    private String required(String key) throws CorruptArtifactException {
      String value = metadata.get(key);
      require(value != null, LENGTH_BYTES, "metadata " + key, "none");
      return value;
    }

    private CorruptArtifactException notJson(String what, IOException failure) {
      String reason =
          failure instanceof JsonProcessingException json
              ? json.getOriginalMessage()
              : failure.getMessage();
      CorruptArtifactException corrupt = damaged(LENGTH_BYTES, "valid " + what, reason);
      corrupt.initCause(failure);
      return corrupt;
    }

    private void require(boolean condition, long offset, String expected, String found)
        throws CorruptArtifactException {
      if (!condition) {
        throw damaged(offset, expected, found);
      }
    }

    private CorruptArtifactException damaged(long offset, String expected, String found) {
      return new CorruptArtifactException(path, ArtifactSection.HEADER, offset, expected, found);
    }
  }
}
