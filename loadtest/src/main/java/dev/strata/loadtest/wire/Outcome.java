package dev.strata.loadtest.wire;

/// How one request ended.
public sealed interface Outcome {

  /// @param version of the model
  /// @param bits the width that answered; 0 if the server did not say
  /// @param reason why the width is not the one asked for; may be empty
  /// @param digest of the outputs' names, types, shapes and bytes: equal over all protocols
  record Answered(
      String version, int bits, String reason, long queueMicros, long computeMicros, String digest)
      implements Outcome {}

  /// The server answered that it will not: no room, no time, no such model.
  record Refused(String code, String message) implements Outcome {}

  /// There is no answer, or none that can be read.
  record Failed(String what) implements Outcome {}
}
