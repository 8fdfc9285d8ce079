package dev.strata.gateway.protocol;

import dev.strata.graph.Tensor;
import java.util.Map;

/// What came back, in words that all protocols share.
sealed interface Answer {

  record Given(
      String model,
      String version,
      String id,
      long bits,
      String requested,
      String reason,
      long queueMicros,
      long computeMicros,
      Map<String, Tensor> outputs)
      implements Answer {}

  record Refused(Kind kind, String message) implements Answer {}

  enum Kind {
    INVALID,
    NOT_FOUND,
    UNAVAILABLE,
    OVERLOADED,
    TOO_LATE,
    NOT_OFFERED,
    TOO_LARGE,
    INTERNAL
  }
}
