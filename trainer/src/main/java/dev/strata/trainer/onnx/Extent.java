package dev.strata.trainer.onnx;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// The size of a dimension as far as it is known: a number times named unknowns. Two equal extents
/// are the same size in every run, which is what fusions need to know.
///
/// @param coefficient the known factor
/// @param factors the unknown factors, sorted; empty for a known size
record Extent(long coefficient, List<String> factors) {
  static final Extent ONE = of(1);

  Extent {
    factors = coefficient == 0 ? List.of() : factors.stream().sorted().toList();
  }

  static Extent of(long size) {
    return new Extent(size, List.of());
  }

  static Extent unknown(String name) {
    return new Extent(1, List.of(name));
  }

  static List<Extent> list(List<Long> sizes) {
    return sizes.stream().map(Extent::of).toList();
  }

  boolean isKnown() {
    return factors.isEmpty();
  }

  boolean is(long size) {
    return isKnown() && coefficient == size;
  }

  long size() {
    if (!isKnown()) {
      throw new IllegalStateException("extent " + this + " is not known");
    }
    return coefficient;
  }

  Extent times(Extent other) {
    List<String> all = new ArrayList<>(factors);
    all.addAll(other.factors);
    return new Extent(coefficient * other.coefficient, all);
  }

  /// Exact quotient; a new unknown where the division does not cancel.
  Extent dividedBy(Extent divisor) {
    List<String> left = new ArrayList<>(factors);
    boolean cancels = divisor.coefficient != 0 && coefficient % divisor.coefficient == 0;
    for (String factor : divisor.factors) {
      cancels &= left.remove(factor);
    }
    return cancels
        ? new Extent(coefficient / divisor.coefficient, left)
        : unknown("(" + this + "/" + divisor + ")");
  }

  Extent plus(Extent other) {
    if (isKnown() && other.isKnown()) {
      return of(coefficient + other.coefficient);
    }
    if (is(0)) {
      return other;
    }
    return other.is(0) ? this : unknown("(" + this + "+" + other + ")");
  }

  /// The size of a broadcast dimension.
  Extent broadcast(Extent other) {
    if (equals(other) || other.is(1)) {
      return this;
    }
    if (is(1) || other.isKnown()) {
      return other;
    }
    return isKnown() ? this : unknown("max(" + this + "," + other + ")");
  }

  static Extent product(List<Extent> extents) {
    return extents.stream().reduce(ONE, Extent::times);
  }

  @Override
  public String toString() {
    if (isKnown()) {
      return Long.toString(coefficient);
    }
    String names = factors.stream().collect(Collectors.joining("*"));
    return coefficient == 1 ? names : coefficient + "*" + names;
  }
}
