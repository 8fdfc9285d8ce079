package dev.strata.gateway.api.oip;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.strata.gateway.call.InferenceException;

/// How this server reads JSON that strangers send: strictly, and within bounds.
final class OipJson {

  /// Longest string, and so longest text element, in characters.
  private static final int MAX_STRING_LENGTH = 16 << 20;

  static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(32)
                  .maxNumberLength(128)
                  .maxNameLength(1024)
                  .maxStringLength(MAX_STRING_LENGTH)
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .build();

  private OipJson() {}

  static InferenceException malformed(String field, JsonProcessingException problem) {
    String where =
        problem.getLocation() == null
            ? ""
            : " at line %d column %d"
                .formatted(problem.getLocation().getLineNr(), problem.getLocation().getColumnNr());
    // The parser's advice to its programmer is of no use to the client.
    String what =
        problem.getOriginalMessage().lines().findFirst().orElse("").split(": enable `", 2)[0];
    return InferenceException.invalid("%s: malformed JSON%s: %s".formatted(field, where, what));
  }
}
