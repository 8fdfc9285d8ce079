package dev.strata.artifact;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;

/// The JSON of an artifact: its key names, and a mapper that takes nothing it does not know and
/// stays within fixed bounds whatever it is given.
final class HeaderJson {
  private HeaderJson() {}

  static final String METADATA = "__metadata__";
  static final String FORMAT = "strata.format";
  static final String MODEL = "strata.model";
  static final String CASCADE = "strata.cascade";
  static final String PREFIX = "strata.prefix";
  static final String HEADER_SHA256 = "strata.header_sha256";

  static final String FORMAT_VERSION = "1";

  /// The largest JSON header, in bytes.
  static final int MAX_HEADER_BYTES = 16 << 20;

  static final int MAX_DEPTH = 32;
  static final int SHA256_DIGITS = 64;

  /// One entry of `strata.prefix`.
  ///
  /// @param length of the file up to the section's end
  /// @param sha256 of the section's own bytes
  record PrefixEntry(int section, long length, String sha256) {}

  /// Shared, since it learns the records' properties only once; its settings never change.
  static final JsonMapper MAPPER = mapper();

  private static JsonMapper mapper() {
    JsonFactory factory =
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxStringLength(MAX_HEADER_BYTES)
                    .maxNameLength(1024)
                    .maxNumberLength(64)
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            // A symbol table shared by all files would fail on names made to collide.
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .build();
    return JsonMapper.builder(factory)
        .enable(
            DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES,
            DeserializationFeature.FAIL_ON_TRAILING_TOKENS,
            DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES,
            DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES,
            DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES,
            DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
        .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
        .defaultSetterInfo(JsonSetter.Value.forContentNulls(Nulls.FAIL))
        .build();
  }
}
