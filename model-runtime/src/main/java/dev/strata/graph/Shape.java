package dev.strata.graph;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.List;

/// A tensor shape, row-major. A dimension of -1 is variable (only in signatures and graph inputs).
///
/// @param dims the dimensions, outermost first; the list is immutable
public record Shape(@JsonValue List<Long> dims) {

  public static final long VARIABLE = -1;

  @JsonCreator
  public Shape {
    dims = List.copyOf(dims);
    for (long dim : dims) {
      if (dim < VARIABLE) {
        throw new IllegalArgumentException("shape %s: dimension %d".formatted(dims, dim));
      }
    }
  }

  public static Shape of(long... dims) {
    return new Shape(Arrays.stream(dims).boxed().toList());
  }

  public int rank() {
    return dims.size();
  }

  public long dim(int axis) {
    return dims.get(axis < 0 ? axis + rank() : axis);
  }

  public long[] toArray() {
    return dims.stream().mapToLong(Long::longValue).toArray();
  }

  public boolean isStatic() {
    return dims.stream().allMatch(dim -> dim >= 0);
  }

  /// Number of elements.
  ///
  /// @throws ArithmeticException if it does not fit in a long
  /// @throws IllegalStateException if a dimension is variable
  public long elements() {
    long count = 1;
    for (long dim : dims) {
      if (dim < 0) {
        throw new IllegalStateException("shape %s is not static".formatted(dims));
      }
      count = Math.multiplyExact(count, dim);
    }
    return count;
  }

  /// @return whether a static shape fits this one, where -1 here fits any size
  public boolean accepts(Shape actual) {
    if (actual.rank() != rank()) {
      return false;
    }
    for (int axis = 0; axis < rank(); axis++) {
      if (dim(axis) != VARIABLE && dim(axis) != actual.dim(axis)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public String toString() {
    return dims.toString();
  }
}
