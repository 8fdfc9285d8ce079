package dev.strata.trainer.onnx;

import java.util.List;
import java.util.Optional;

/// What is known of a value before the network runs.
///
/// @param type element type
/// @param extents its dimensions; empty if not even their number is known
/// @param elements the elements of a small integer tensor that depend on shapes only, row-major
record ValueFacts(ElementType type, Optional<List<Extent>> extents, Optional<List<Extent>> elements) {
  /// Every ONNX type is carried as one of the two that the runtime computes with; truth values are
  /// whole numbers that are 0 or 1.
  enum ElementType {
    REAL,
    WHOLE,
    TRUTH
  }

  static ValueFacts of(ElementType type, List<Extent> extents) {
    return new ValueFacts(type, Optional.of(List.copyOf(extents)), Optional.empty());
  }

  static ValueFacts unshaped(ElementType type) {
    return new ValueFacts(type, Optional.empty(), Optional.empty());
  }

  ValueFacts withElements(Optional<List<Extent>> newElements) {
    return new ValueFacts(type, extents, newElements);
  }
}
