package dev.strata.plan;

import static dev.strata.graph.DataType.FP32;
import static dev.strata.graph.DataType.INT64;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.strata.graph.Activation;
import dev.strata.graph.Axes;
import dev.strata.graph.ConstantFolding;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.StridedView;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorType;
import dev.strata.kernel.FloatKernels;
import dev.strata.kernel.Structs;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// Steps of the operators on floats that have no weights of their own.
final class ArithmeticSteps {
  private final Program program;
  private final MovementSteps movement;

  ArithmeticSteps(Program program, MovementSteps movement) {
    this.program = program;
    this.movement = movement;
  }

  @SuppressWarnings("EnumOrdinal") // the order of the kinds is part of the native ABI
  Region unary(Activation function, Value x) {
    Region in = program.region(x);
    long count = x.elements();
    Region.Slot out = program.floats(count);
    int kind = function.kind().ordinal();
    program.step(
        label(function.kind()),
        List.of(in, out),
        memory -> {
          MemorySegment from = memory.at(in);
          MemorySegment y = memory.at(out);
          return () ->
              FloatKernels.unaryF32(kind, function.alpha(), function.beta(), from, y, count);
        });
    return out;
  }

  @SuppressWarnings("EnumOrdinal") // the order of the kinds is part of the native ABI
  Region binary(Op.Binary.Function function, Value left, Value right, Shape shape) {
    Region a = program.region(left);
    Region b = program.region(right);
    Region.Slot out = program.floats(shape.elements());
    StridedLoop loop =
        StridedLoop.of(
            shape, List.of(strides(left, shape), strides(right, shape), denseStrides(shape)));
    MemorySegment dims = program.constant(loop.dims()).memory();
    MemorySegment aStrides = program.constant(loop.strides(0)).memory();
    MemorySegment bStrides = program.constant(loop.strides(1)).memory();
    int kind = function.ordinal();
    program.step(
        label(function),
        List.of(a, b, out),
        memory -> {
          MemorySegment x = memory.at(a);
          MemorySegment z = memory.at(b);
          MemorySegment y = memory.at(out);
          return () -> FloatKernels.binaryF32(kind, loop.rank(), dims, aStrides, bStrides, x, z, y);
        });
    return out;
  }

  Region where(Value condition, Value left, Value right, Shape shape) {
    Region chosen = integers(condition);
    Region a = program.region(left);
    Region b = program.region(right);
    Region.Slot out = program.floats(shape.elements());
    StridedLoop loop =
        StridedLoop.of(
            shape,
            List.of(
                strides(condition, shape),
                strides(left, shape),
                strides(right, shape),
                denseStrides(shape)));
    MemorySegment dims = program.constant(loop.dims()).memory();
    MemorySegment cStrides = program.constant(loop.strides(0)).memory();
    MemorySegment aStrides = program.constant(loop.strides(1)).memory();
    MemorySegment bStrides = program.constant(loop.strides(2)).memory();
    program.step(
        "where",
        List.of(chosen, a, b, out),
        memory -> {
          MemorySegment c = memory.at(chosen);
          MemorySegment x = memory.at(a);
          MemorySegment z = memory.at(b);
          MemorySegment y = memory.at(out);
          return () ->
              FloatKernels.whereF32(loop.rank(), dims, cStrides, aStrides, bStrides, c, x, z, y);
        });
    return out;
  }

  /// A condition as INT64: any float but zero is true.
  private Region integers(Value condition) {
    Region in = program.region(condition);
    if (condition.type().type() == INT64) {
      return in;
    }
    long count = condition.elements();
    Region.Slot out = program.slot(count * Long.BYTES);
    program.step(
        "host",
        List.of(in, out),
        memory -> {
          MemorySegment from = memory.at(in);
          MemorySegment to = memory.at(out);
          return () -> {
            for (long i = 0; i < count; i++) {
              to.setAtIndex(JAVA_LONG, i, from.getAtIndex(JAVA_FLOAT, i) != 0 ? 1 : 0);
            }
          };
        });
    return out;
  }

  Region cast(Value x, TensorType result) {
    Region in = program.region(x);
    Region.Slot out = program.slot(result);
    long count = x.elements();
    boolean toFloat = result.type() == FP32;
    program.step(
        "cast",
        List.of(in, out),
        memory -> {
          MemorySegment from = memory.at(in);
          MemorySegment to = memory.at(out);
          return toFloat
              ? () -> FloatKernels.castI64F32(from, to, count)
              : () -> FloatKernels.castF32I64(from, to, count);
        });
    return out;
  }

  /// Softmax runs over the last axis; another one is moved there and back.
  Region softmax(int softmaxAxis, Value x) {
    Shape shape = x.shape();
    int axis = Axes.index(softmaxAxis, shape.rank());
    Region in = program.region(x);
    if (axis == shape.rank() - 1) {
      return softmax(in, shape);
    }
    List<Integer> order = new ArrayList<>(IntStream.range(0, shape.rank()).boxed().toList());
    order.remove(axis);
    order.add(axis);
    StridedView moved = StridedView.transpose(shape, order);
    Region result = softmax(movement.copy(FP32, in, moved), moved.shape());
    List<Integer> back = IntStream.range(0, shape.rank()).mapToObj(order::indexOf).toList();
    return movement.copy(FP32, result, StridedView.transpose(moved.shape(), back));
  }

  private Region softmax(Region in, Shape shape) {
    long width = shape.dim(-1);
    long rows = shape.elements() / width;
    Region.Slot out = program.floats(shape.elements());
    program.step(
        "softmax",
        List.of(in, out),
        memory -> {
          MemorySegment x = memory.at(in);
          MemorySegment y = memory.at(out);
          return () -> FloatKernels.softmaxF32(x, y, rows, width);
        });
    return out;
  }

  /// Neighbouring axes are reduced where they lie; others are moved to the end first.
  Region reduce(Op.Reduce reduce, Value x) {
    Shape shape = x.shape();
    List<Integer> axes =
        Axes.reduced(reduce.axes(), shape.rank()).stream()
            .filter(axis -> shape.dim(axis) != 1)
            .toList();
    Region in = program.region(x);
    if (axes.isEmpty()) {
      return in;
    }
    int first = axes.getFirst();
    int last = axes.getLast();
    long span = size(shape, first, last + 1);
    long axis = axes.stream().mapToLong(shape::dim).reduce(1, (a, b) -> a * b);
    if (span == axis) {
      return reduce(
          reduce.kind(), in, size(shape, 0, first), axis, size(shape, last + 1, shape.rank()));
    }
    List<Integer> order =
        new ArrayList<>(
            IntStream.range(0, shape.rank()).filter(i -> !axes.contains(i)).boxed().toList());
    order.addAll(axes);
    Region moved = movement.copy(FP32, in, StridedView.transpose(shape, order));
    return reduce(reduce.kind(), moved, shape.elements() / axis, axis, 1);
  }

  @SuppressWarnings("EnumOrdinal") // the order of the kinds is part of the native ABI
  private Region reduce(Op.Reduce.Reduction kind, Region in, long outer, long axis, long inner) {
    Region.Slot out = program.floats(outer * inner);
    int function = kind.ordinal();
    program.step(
        "reduce",
        List.of(in, out),
        memory -> {
          MemorySegment x = memory.at(in);
          MemorySegment y = memory.at(out);
          return () -> FloatKernels.reduceF32(function, outer, axis, inner, x, y);
        });
    return out;
  }

  @SuppressWarnings("EnumOrdinal") // the order of the kinds is part of the native ABI
  Region pool(Op.Pool pool, Value x, Shape shape) {
    Region in = program.region(x);
    Region.Slot out = program.floats(shape.elements());
    MemorySegment window = program.struct(Structs.windowBytes());
    Structs.window(
        window,
        x.shape().dim(0),
        x.shape().dim(1),
        x.shape().dim(2),
        x.shape().dim(3),
        shape.dim(1),
        shape.dim(2),
        pool.window());
    int function = pool.kind().ordinal();
    program.step(
        "pool",
        List.of(in, out),
        memory -> {
          MemorySegment from = memory.at(in);
          MemorySegment y = memory.at(out);
          return () ->
              FloatKernels.poolF32(
                  function,
                  window,
                  pool.window().padBottom(),
                  pool.window().padRight(),
                  pool.countPadding() ? 1 : 0,
                  from,
                  y);
        });
    return out;
  }

  Region resize(Op.Resize resize, Value x, Shape shape) {
    Region in = program.region(x);
    Region.Slot out = program.floats(shape.elements());
    Shape from = x.shape();
    boolean scaled = !resize.scales().isEmpty();
    ResizeTable rows =
        ResizeTable.of(
            resize,
            from.dim(1),
            shape.dim(1),
            scaled ? resize.scales().get(0) : (float) shape.dim(1) / from.dim(1));
    ResizeTable columns =
        ResizeTable.of(
            resize,
            from.dim(2),
            shape.dim(2),
            scaled ? resize.scales().get(1) : (float) shape.dim(2) / from.dim(2));
    MemorySegment row0 = program.constant(rows.lower()).memory();
    MemorySegment row1 = program.constant(rows.upper()).memory();
    MemorySegment rowWeight = program.constant(rows.upperWeight()).memory();
    MemorySegment column0 = program.constant(columns.lower()).memory();
    MemorySegment column1 = program.constant(columns.upper()).memory();
    MemorySegment columnWeight = program.constant(columns.upperWeight()).memory();
    program.step(
        "resize",
        List.of(in, out),
        memory -> {
          MemorySegment image = memory.at(in);
          MemorySegment y = memory.at(out);
          return () ->
              FloatKernels.resizeF32(
                  from.dim(0),
                  from.dim(1),
                  from.dim(2),
                  from.dim(3),
                  shape.dim(1),
                  shape.dim(2),
                  row0,
                  row1,
                  rowWeight,
                  column0,
                  column1,
                  columnWeight,
                  image,
                  y);
        });
    return out;
  }

  /// What has no kernel, such as arithmetic on token ids, runs in Java.
  Region onHost(Op op, List<Value> inputs, TensorType result) {
    List<Region> regions = new ArrayList<>(inputs.stream().map(program::region).toList());
    Region.Slot out = program.slot(result);
    regions.add(out);
    program.step(
        "host",
        regions,
        memory -> {
          List<Tensor> tensors =
              inputs.stream()
                  .map(
                      value ->
                          new Tensor(
                              value.type().type(), value.shape(), memory.at(program.region(value))))
                  .toList();
          MemorySegment y = memory.at(out);
          return () ->
              y.copyFrom(ConstantFolding.evaluate(op, tensors).orElseThrow().get(0).data());
        });
    return out;
  }

  private static String label(Enum<?> kind) {
    return kind.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static long[] strides(Value value, Shape shape) {
    return StridedView.broadcast(value.shape(), shape).strides();
  }

  private static long[] denseStrides(Shape shape) {
    return StridedView.dense(shape).strides();
  }

  private static long size(Shape shape, int from, int to) {
    return shape.dims().subList(from, to).stream()
        .mapToLong(Long::longValue)
        .reduce(1, (a, b) -> a * b);
  }
}
