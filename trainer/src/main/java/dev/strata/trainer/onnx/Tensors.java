package dev.strata.trainer.onnx;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/// New constants from old ones.
final class Tensors {
  private Tensors() {}

  static Tensor reals(List<Float> values) {
    float[] array = new float[values.size()];
    for (int i = 0; i < array.length; i++) {
      array[i] = values.get(i);
    }
    return Tensor.of(Shape.of(array.length), array);
  }

  static Tensor wholes(List<Long> values) {
    return Tensor.of(
        Shape.of(values.size()), values.stream().mapToLong(Long::longValue).toArray());
  }

  static Tensor scalar(float value) {
    return Tensor.of(Shape.of(), new float[] {value});
  }

  static List<Long> longs(Tensor tensor) {
    return Arrays.stream(tensor.toLongs()).boxed().toList();
  }

  /// The same elements with other dimensions.
  static Tensor reshape(Tensor tensor, Shape shape) {
    return new Tensor(tensor.type(), shape, tensor.data());
  }

  /// Ones in front of the shape until it has `rank` dimensions, as broadcasting would read it.
  static Tensor extendTo(Tensor tensor, int rank) {
    List<Long> dims = new ArrayList<>(Collections.nCopies(rank - tensor.shape().rank(), 1L));
    dims.addAll(tensor.shape().dims());
    return reshape(tensor, new Shape(dims));
  }

  /// Dimension i of the result is dimension `permutation[i]` of the tensor.
  static Tensor transpose(Tensor tensor, List<Integer> permutation) {
    int rank = permutation.size();
    long size = tensor.type().byteSize();
    long[] strides = new long[rank];
    long stride = size;
    for (int axis = rank - 1; axis >= 0; axis--) {
      strides[axis] = stride;
      stride *= tensor.shape().dim(axis);
    }
    Shape shape = new Shape(permutation.stream().map(axis -> tensor.shape().dim(axis)).toList());
    long[] steps = permutation.stream().mapToLong(axis -> strides[axis]).toArray();
    MemorySegment result =
        MemorySegment.ofArray(new byte[Math.toIntExact(tensor.data().byteSize())]);
    long[] index = new long[rank];
    long from = 0;
    for (long to = 0; to < result.byteSize(); to += size) {
      MemorySegment.copy(tensor.data(), JAVA_BYTE, from, result, JAVA_BYTE, to, size);
      for (int axis = rank - 1; axis >= 0; axis--) {
        from += steps[axis];
        if (++index[axis] < shape.dim(axis)) {
          break;
        }
        from -= steps[axis] * shape.dim(axis);
        index[axis] = 0;
      }
    }
    return new Tensor(tensor.type(), shape, result);
  }

  /// Row r of a matrix (first axis; the rest flattened) times `factors[r]`.
  static Tensor scaleRows(Tensor tensor, float[] factors) {
    float[] values = tensor.toFloats();
    int columns = values.length / factors.length;
    for (int i = 0; i < values.length; i++) {
      values[i] *= factors[i / columns];
    }
    return Tensor.of(tensor.shape(), values);
  }

  /// One float for each of `count` channels, if the tensor has that many elements and all of them
  /// lie along the axis that is `fromEnd` places before the last; or one element for all.
  static boolean isPerChannel(Tensor tensor, int count, int fromEnd) {
    if (tensor.type() != DataType.FP32) {
      return false;
    }
    int rank = tensor.shape().rank();
    return IntStream.range(0, rank)
        .allMatch(
            axis ->
                tensor.shape().dim(axis) == 1
                    || (axis == rank - 1 - fromEnd && tensor.shape().dim(axis) == count));
  }

  static float[] perChannel(Tensor tensor, int count) {
    float[] values = tensor.toFloats();
    if (values.length == count) {
      return values;
    }
    float[] repeated = new float[count];
    Arrays.fill(repeated, values[0]);
    return repeated;
  }
}
