package dev.strata.plan;

import dev.strata.graph.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Nested loops over tensors with a stride each, as few and as long as can be: neighbouring axes
/// that every tensor walks in one stride are one loop.
final class StridedLoop {
  private final long[] dims;
  private final List<long[]> strides;

  private StridedLoop(long[] dims, List<long[]> strides) {
    this.dims = dims;
    this.strides = strides;
  }

  /// @param strides for each tensor, the stride of each axis
  static StridedLoop of(Shape shape, List<long[]> strides) {
    List<Integer> starts = new ArrayList<>();
    List<Integer> ends = new ArrayList<>();
    for (int axis = 0; axis < shape.rank(); axis++) {
      if (shape.dim(axis) == 1) {
        continue;
      }
      int next = axis;
      boolean merges =
          !ends.isEmpty()
              && strides.stream().allMatch(of -> of[ends.getLast()] == of[next] * shape.dim(next));
      if (merges) {
        ends.set(ends.size() - 1, axis);
      } else {
        starts.add(axis);
        ends.add(axis);
      }
    }
    if (starts.isEmpty()) {
      List<long[]> single = strides.stream().map(_ -> new long[] {1}).toList();
      return new StridedLoop(new long[] {1}, single);
    }
    long[] dims = new long[starts.size()];
    for (int loop = 0; loop < dims.length; loop++) {
      dims[loop] = 1;
      for (int axis = starts.get(loop); axis <= ends.get(loop); axis++) {
        dims[loop] *= shape.dim(axis);
      }
    }
    List<long[]> merged =
        strides.stream().map(of -> ends.stream().mapToLong(axis -> of[axis]).toArray()).toList();
    return new StridedLoop(dims, merged);
  }

  int rank() {
    return dims.length;
  }

  long[] dims() {
    return dims.clone();
  }

  long[] strides(int tensor) {
    return strides.get(tensor).clone();
  }

  @Override
  public String toString() {
    return "loop %s".formatted(Arrays.toString(dims));
  }
}
