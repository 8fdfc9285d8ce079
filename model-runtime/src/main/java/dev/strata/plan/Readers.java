package dev.strata.plan;

import java.util.Optional;

/// What the steps behind a value want of it.
///
/// @param recoding how quantized products read it, if they all read it alike
/// @param floats whether anything reads its floats
record Readers(Optional<Recoding> recoding, boolean floats) {
  static final Readers OF_FLOATS = new Readers(Optional.empty(), true);

  /// Where a step that makes both puts the floats: nowhere if nobody reads them.
  Region.Slot slot(Program program, long count) {
    return program.floats(floats ? count : 0);
  }
}
