package dev.strata.graph;

import java.util.Arrays;
import java.util.List;
import java.util.function.LongConsumer;

/// A tensor read in another order: element `i` of the view is element `offset + i . strides` of the
/// dense tensor below. Slices, transpositions and expansions are views.
public final class StridedView {
  private final long offset;
  private final Shape shape;
  private final long[] strides;

  private StridedView(long offset, Shape shape, long[] strides) {
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }

  public static StridedView dense(Shape shape) {
    return new StridedView(0, shape, denseStrides(shape));
  }

  /// ONNX's Slice; starts and ends are clamped to the axis, negative ones count from its end.
  public static StridedView slice(
      Shape shape, long[] starts, long[] ends, long[] axes, long[] steps) {
    if (ends.length != starts.length
        || axes.length != starts.length
        || steps.length != starts.length) {
      throw new IllegalArgumentException(
          "slice: got %d starts, %d ends, %d axes, %d steps, expected as many of each"
              .formatted(starts.length, ends.length, axes.length, steps.length));
    }
    long[] dims = shape.toArray();
    long[] strides = denseStrides(shape);
    long offset = 0;
    for (int i = 0; i < starts.length; i++) {
      int axis = Axes.index(Math.toIntExact(axes[i]), shape.rank());
      long size = shape.dim(axis);
      long step = steps[i];
      if (step == 0) {
        throw new IllegalArgumentException("slice: got step 0 on axis %d".formatted(axis));
      }
      long last = step > 0 ? size : size - 1;
      long start = Math.clamp(fromEnd(starts[i], size), 0L, Math.max(last, 0));
      long end = Math.clamp(fromEnd(ends[i], size), step > 0 ? 0L : -1L, size);
      dims[axis] = Math.max(0, Math.ceilDiv(end - start, step));
      offset += start * strides[axis];
      strides[axis] *= step;
    }
    return new StridedView(offset, Shape.of(dims), strides);
  }

  /// `length` elements of one axis, from `start`.
  public static StridedView part(Shape shape, int axis, long start, long length) {
    return slice(
        shape, new long[] {start}, new long[] {start + length}, new long[] {axis}, new long[] {1});
  }

  public static StridedView transpose(Shape shape, List<Integer> permutation) {
    int rank = shape.rank();
    boolean[] seen = new boolean[rank];
    long[] dense = denseStrides(shape);
    long[] dims = new long[rank];
    long[] strides = new long[rank];
    if (permutation.size() != rank) {
      throw new IllegalArgumentException(
          "transpose: got permutation %s, expected %d axes".formatted(permutation, rank));
    }
    for (int i = 0; i < rank; i++) {
      int axis = Axes.index(permutation.get(i), rank);
      if (seen[axis]) {
        throw new IllegalArgumentException(
            "transpose: got axis %d twice in %s".formatted(axis, permutation));
      }
      seen[axis] = true;
      dims[i] = shape.dim(axis);
      strides[i] = dense[axis];
    }
    return new StridedView(0, Shape.of(dims), strides);
  }

  /// A shape broadcast to a larger one: repeated axes have stride 0.
  public static StridedView broadcast(Shape from, Shape to) {
    int missing = to.rank() - from.rank();
    long[] dense = denseStrides(from);
    long[] strides = new long[to.rank()];
    for (int axis = 0; axis < to.rank(); axis++) {
      long dim = axis < missing ? 1 : from.dim(axis - missing);
      if (missing < 0 || (dim != 1 && dim != to.dim(axis))) {
        throw new IllegalArgumentException(
            "broadcast: got shape %s, expected one that fits %s".formatted(from, to));
      }
      strides[axis] = dim == 1 ? 0 : dense[axis - missing];
    }
    return new StridedView(0, to, strides);
  }

  private static long fromEnd(long index, long size) {
    return index < 0 ? index + size : index;
  }

  private static long[] denseStrides(Shape shape) {
    long[] strides = new long[shape.rank()];
    long stride = 1;
    for (int axis = shape.rank() - 1; axis >= 0; axis--) {
      strides[axis] = stride;
      stride *= shape.dim(axis);
    }
    return strides;
  }

  /// @return elements of the tensor below before the view's first
  public long offset() {
    return offset;
  }

  public Shape shape() {
    return shape;
  }

  /// @return elements between neighbours of each axis; 0 repeats, negative walks back
  public long[] strides() {
    return strides.clone();
  }

  /// @return whether the view reads all of the tensor below in its own order
  public boolean isDense() {
    long[] dense = denseStrides(shape);
    for (int axis = 0; axis < strides.length; axis++) {
      if (shape.dim(axis) != 1 && strides[axis] != dense[axis]) {
        return false;
      }
    }
    return offset == 0;
  }

  /// Calls back with the index below of each element, in row-major order of the view.
  public void forEach(LongConsumer action) {
    long count = shape.elements();
    long[] position = new long[strides.length];
    long index = offset;
    for (long i = 0; i < count; i++) {
      action.accept(index);
      for (int axis = strides.length - 1; axis >= 0; axis--) {
        index += strides[axis];
        position[axis]++;
        if (position[axis] < shape.dim(axis)) {
          break;
        }
        index -= strides[axis] * shape.dim(axis);
        position[axis] = 0;
      }
    }
  }

  @Override
  public String toString() {
    return "view %s, strides %s, from %d".formatted(shape, Arrays.toString(strides), offset);
  }
}
