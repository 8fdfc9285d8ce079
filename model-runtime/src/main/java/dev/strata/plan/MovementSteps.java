package dev.strata.plan;

import dev.strata.graph.Axes;
import dev.strata.graph.DataType;
import dev.strata.graph.Op;
import dev.strata.graph.Operand;
import dev.strata.graph.Shape;
import dev.strata.graph.ShapeInference;
import dev.strata.graph.StridedView;
import dev.strata.graph.TensorType;
import dev.strata.kernel.FloatKernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/// Steps that move elements and compute nothing.
final class MovementSteps {
  private final Program program;

  MovementSteps(Program program) {
    this.program = program;
  }

  /// A view's elements as a dense tensor.
  Region copy(DataType type, Region x, StridedView view) {
    Region.Slot out = program.slot(new TensorType(type, view.shape()));
    copy(type, x, view, out, StridedView.dense(view.shape()));
    return out;
  }

  /// Elements of one view to the places of another one of the same shape.
  private void copy(DataType type, Region x, StridedView from, Region out, StridedView to) {
    StridedLoop loop = StridedLoop.of(from.shape(), List.of(from.strides(), to.strides()));
    MemorySegment dims = program.constant(loop.dims()).memory();
    MemorySegment source = program.constant(loop.strides(0)).memory();
    MemorySegment target = program.constant(loop.strides(1)).memory();
    int size = type.byteSize();
    // A view that walks back begins at its last element: C reads before `in`, but within x.
    program.step(
        "copy",
        StepDescription.dims(from.shape()),
        List.of(x, out),
        memory -> {
          MemorySegment in = memory.at(x, from.offset() * size);
          MemorySegment y = memory.at(out, to.offset() * size);
          return () -> FloatKernels.copy(size, loop.rank(), dims, source, target, in, y);
        });
  }

  Region concat(int concatAxis, List<Value> inputs, TensorType result) {
    Shape shape = result.shape();
    int axis = Axes.index(concatAxis, shape.rank());
    Region.Slot out = program.slot(result);
    long start = 0;
    for (Value input : inputs) {
      long length = input.shape().dim(axis);
      if (input.elements() > 0) {
        copy(
            result.type(),
            program.region(input),
            StridedView.dense(input.shape()),
            out,
            StridedView.part(shape, axis, start, length));
      }
      start += length;
    }
    return out;
  }

  Region gather(int gatherAxis, Value x, Value indices, TensorType result) {
    int axis = Axes.index(gatherAxis, x.shape().rank());
    return take(x.type(), program.region(x), axis, program.region(indices), indices.elements());
  }

  /// Elements of one axis by their indices, which are checked while it runs.
  private Region take(TensorType x, Region from, int axis, Region indices, long count) {
    long size = x.shape().dim(axis);
    long outer = product(x.shape(), 0, axis);
    long inner = product(x.shape(), axis + 1, x.shape().rank());
    int bytes = x.type().byteSize();
    Region.Slot out = program.slot(outer * count * inner * bytes);
    String node = program.node();
    program.step(
        "take",
        List.of(from, indices, out),
        memory -> {
          MemorySegment in = memory.at(from);
          MemorySegment at = memory.at(indices);
          MemorySegment y = memory.at(out);
          return () -> {
            if (FloatKernels.take(bytes, outer, size, inner, at, count, in, y) != 0) {
              throw new IllegalArgumentException(
                  "node '%s': got an index outside of the axis, expected %d to %d"
                      .formatted(node, -size, size - 1));
            }
          };
        });
    return out;
  }

  private static long product(Shape shape, int from, int to) {
    return shape.dims().subList(from, to).stream()
        .mapToLong(Long::longValue)
        .reduce(1, (a, b) -> a * b);
  }

  /// A constant border is a copy into filled memory; other borders take from the image, one axis
  /// after the other.
  Region pad(Op.Pad pad, List<Operand> operands, Value x, TensorType result) {
    long[] pads = ShapeInference.pads(operands);
    return switch (pad.mode()) {
      case CONSTANT -> surrounded(pad.value(), pads, x, result);
      case REFLECT, EDGE -> {
        Region from = program.region(x);
        TensorType type = x.type();
        int rank = type.shape().rank();
        for (int axis = 0; axis < rank; axis++) {
          long begin = pads[axis];
          long end = pads[axis + rank];
          if (begin != 0 || end != 0) {
            long[] indices =
                ShapeInference.paddedIndices(pad.mode(), type.shape().dim(axis), begin, end);
            from = take(type, from, axis, program.constant(indices), indices.length);
            long[] dims = type.shape().toArray();
            dims[axis] = indices.length;
            type = new TensorType(type.type(), Shape.of(dims));
          }
        }
        yield from;
      }
    };
  }

  private Region surrounded(float value, long[] pads, Value x, TensorType result) {
    int rank = result.shape().rank();
    Region.Slot out = program.slot(result);
    fill(value, out, result.shape().elements());
    // Negative pads cut off: begin after them in x, begin at the positive ones in the result.
    long[] from = new long[rank];
    long[] to = new long[rank];
    long[] lengths = new long[rank];
    for (int axis = 0; axis < rank; axis++) {
      long cutBegin = Math.max(0, -pads[axis]);
      long cutEnd = Math.max(0, -pads[axis + rank]);
      from[axis] = cutBegin;
      to[axis] = Math.max(0, pads[axis]);
      lengths[axis] = Math.max(0, x.shape().dim(axis) - cutBegin - cutEnd);
    }
    if (Arrays.stream(lengths).allMatch(length -> length > 0)) {
      copy(
          result.type(),
          program.region(x),
          box(x.shape(), from, lengths),
          out,
          box(result.shape(), to, lengths));
    }
    return out;
  }

  private static StridedView box(Shape shape, long[] starts, long[] lengths) {
    long[] ends = new long[starts.length];
    Arrays.setAll(ends, axis -> starts[axis] + lengths[axis]);
    long[] steps = new long[starts.length];
    Arrays.fill(steps, 1);
    return StridedView.slice(
        shape, starts, ends, LongStream.range(0, starts.length).toArray(), steps);
  }

  Region filled(float value, long count) {
    Region.Slot out = program.floats(count);
    fill(value, out, count);
    return out;
  }

  private void fill(float value, Region out, long count) {
    program.step(
        "fill",
        List.of(out),
        memory -> {
          MemorySegment y = memory.at(out);
          return () -> FloatKernels.fillF32(value, y, count);
        });
  }
}
