package dev.strata.gateway.api.oip;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.strata.gateway.api.Limits;
import dev.strata.gateway.call.InferenceException;

/// How this server reads JSON that strangers send: strictly, and within bounds.
final class OipJson {

  private OipJson() {}

  static JsonFactory within(Limits limits) {
    return JsonFactory.builder()
        .streamReadConstraints(
            StreamReadConstraints.builder()
                .maxNestingDepth(limits.jsonDepth())
                .maxNumberLength(limits.jsonDigits())
                .maxNameLength(1024)
                .maxStringLength(limits.elementBytes())
                .build())
        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
        .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
        .build();
  }

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
