package dev.strata.plan;

import java.util.ArrayList;
import java.util.List;

/// A run of neighbouring things, such as weight rows, that one thread does.
record Part(long from, long count) {

  /// Cuts `total` things into at most `parts` parts of nearly the same size, each but the last made
  /// of whole units.
  static List<Part> cut(long total, long unit, long parts) {
    long units = Math.ceilDiv(total, unit);
    long many = Math.clamp(parts, 1, Math.max(1, units));
    List<Part> cut = new ArrayList<>();
    for (long i = 0; i < many; i++) {
      long from = units * i / many * unit;
      long end = Math.min(units * (i + 1) / many * unit, total);
      cut.add(new Part(from, end - from));
    }
    return cut;
  }
}
