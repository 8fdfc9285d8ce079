package dev.strata.artifact;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.strata.graph.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The safetensors JSON of one header, token by token. Types are right and numbers not negative;
/// whether they fit together is [ArtifactHeader]'s question.
final class HeaderParser {
  private final HeaderFaults faults;
  private final List<HeaderListing> listings = new ArrayList<>();
  private final Map<String, String> metadata = new HashMap<>();

  HeaderParser(HeaderFaults faults, byte[] json) throws CorruptArtifactException {
    this.faults = faults;
    read(decode(json));
  }

  /// Tensors in the order of the JSON.
  List<HeaderListing> listings() {
    return listings;
  }

  Map<String, String> metadata() {
    return metadata;
  }

  private String decode(byte[] json) throws CorruptArtifactException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json)).toString();
    } catch (CharacterCodingException failure) {
      throw faults.damaged(
          ArtifactHeader.LENGTH_BYTES, "UTF-8", "other bytes (" + failure.getMessage() + ")");
    }
  }

  private void read(String json) throws CorruptArtifactException {
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
      faults.require(
          parser.nextToken() == null,
          ArtifactHeader.LENGTH_BYTES,
          "one JSON object",
          "more text behind it");
    } catch (CorruptArtifactException failure) {
      throw failure;
    } catch (IOException failure) {
      throw faults.notJson("JSON", failure);
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
        new HeaderListing(
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
    return faults.damaged(
        ArtifactHeader.LENGTH_BYTES + Math.max(0, parser.currentLocation().getCharOffset()),
        expected,
        found);
  }
}
