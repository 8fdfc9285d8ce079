package dev.strata.graph;

import static dev.strata.graph.DataType.FP32;
import static dev.strata.graph.DataType.INT64;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongBinaryOperator;

/// Operators on host tensors in plain Java: what depends on constants and shapes alone is evaluated
/// with it, when a model is imported and when a plan is bound to shapes.
public final class ConstantFolding {
  private ConstantFolding() {}

  /// Evaluates an operator whose inputs are all known. FP32 arithmetic is rounded once per
  /// operation, as the kernels do it.
  ///
  /// @return the outputs as heap tensors (a reshaped one shares its input's data), or empty for
  ///     operators that only run natively: weighted layers, matrix products, softmax, layer norm,
  ///     pooling, resizing and the error function. A Split without sizes needs
  ///     [ShapeInference#sized] first.
  /// @throws IllegalArgumentException if shapes or types do not fit
  public static Optional<List<Tensor>> evaluate(Op op, List<Tensor> inputs) {
    List<Operand> operands = inputs.stream().map(Operand::of).toList();
    return switch (op) {
      case Op.Linear _, Op.Conv _, Op.Embedding _, Op.MatMul _ -> Optional.empty();
      case Op.Softmax _, Op.LayerNorm _, Op.Pool _, Op.Resize _ -> Optional.empty();
      case Op.Unary unary -> unary(unary.function(), inputs.get(0)).map(List::of);
      case Op.Binary binary -> one(binary(binary.kind(), inputs, outputShape(op, operands)));
      case Op.Where _ -> one(where(inputs, outputShape(op, operands)));
      case Op.Reduce reduce -> one(reduce(reduce, inputs.get(0), outputShape(op, operands)));
      case Op.Concat concat -> one(concat(concat.axis(), inputs, outputShape(op, operands)));
      case Op.Slice _ -> one(read(inputs.get(0), ShapeInference.slice(operands)));
      case Op.Split split ->
          Optional.of(
              ShapeInference.split(inputs.get(0).shape(), split).stream()
                  .map(part -> read(inputs.get(0), part))
                  .toList());
      case Op.Gather gather -> one(gather(gather, inputs, outputShape(op, operands)));
      case Op.Reshape _, Op.Flatten _, Op.Squeeze _, Op.Unsqueeze _ -> {
        Tensor x = inputs.get(0);
        yield one(new Tensor(x.type(), outputShape(op, operands), x.data()));
      }
      case Op.Transpose transpose -> {
        Tensor x = inputs.get(0);
        yield one(read(x, StridedView.transpose(x.shape(), transpose.permutation())));
      }
      case Op.Pad pad -> one(pad(pad, operands, inputs.get(0), outputShape(op, operands)));
      case Op.Expand _ -> {
        Tensor x = inputs.get(0);
        yield one(read(x, StridedView.broadcast(x.shape(), outputShape(op, operands))));
      }
      case Op.Cast cast -> one(cast(cast.to(), inputs.get(0)));
      case Op.ShapeOf _ -> one(shapeOf(inputs.get(0).shape()));
      case Op.ConstantOfShape constant ->
          one(fill(constant.type(), outputShape(op, operands), constant.value()));
      case Op.Range _ -> one(range(inputs, outputShape(op, operands)));
    };
  }

  /// @return a shape as an INT64 tensor `[rank]`
  public static Tensor shapeOf(Shape shape) {
    return Tensor.of(Shape.of(shape.rank()), shape.toArray());
  }

  /// Whether the operator gives the same bits here and in the native kernels, so that it does not
  /// matter where it runs.
  public static boolean isExact(Op op) {
    return switch (op) {
      case Op.Unary unary ->
          switch (unary.function().kind()) {
            case IDENTITY, RELU, CLIP, ABS, NEG, SQRT -> true;
            case LEAKY_RELU, HARD_SIGMOID, HARD_SWISH, SIGMOID, TANH, ERF -> false;
            case GELU, GELU_TANH, EXP, LOG, RECIPROCAL -> false;
          };
      case Op.Binary binary -> binary.kind() != Op.Binary.Function.POW;
      case Op.Reduce reduce -> reduce.kind() == Op.Reduce.Reduction.MAX;
      case Op.Linear _, Op.Conv _, Op.Embedding _, Op.MatMul _ -> false;
      case Op.Softmax _, Op.LayerNorm _, Op.Pool _, Op.Resize _ -> false;
      case Op.Where _, Op.Concat _, Op.Slice _, Op.Split _, Op.Gather _ -> true;
      case Op.Reshape _, Op.Flatten _, Op.Squeeze _, Op.Unsqueeze _, Op.Transpose _ -> true;
      case Op.Pad _, Op.Expand _, Op.Cast _, Op.ShapeOf _, Op.ConstantOfShape _ -> true;
      case Op.Range _ -> true;
    };
  }

  static long rangeLength(List<Tensor> bounds) {
    double start = number(bounds.get(0), 0);
    double limit = number(bounds.get(1), 0);
    double delta = number(bounds.get(2), 0);
    if (delta == 0) {
      throw new IllegalArgumentException("range: got delta 0");
    }
    return Math.max(0, (long) Math.ceil((limit - start) / delta));
  }

  private static Shape outputShape(Op op, List<Operand> operands) {
    return ShapeInference.infer(op, Optional.empty(), operands).get(0).shape();
  }

  private static Optional<Tensor> unary(Activation function, Tensor x) {
    return real(function)
        .map(
            real -> {
              Tensor y = empty(x.type(), x.shape());
              for (long i = 0; i < x.shape().elements(); i++) {
                set(y, i, real.applyAsDouble(number(x, i)));
              }
              return y;
            });
  }

  private static Optional<DoubleUnaryOperator> real(Activation function) {
    double alpha = function.alpha();
    double beta = function.beta();
    return switch (function.kind()) {
      case IDENTITY -> Optional.of(v -> v);
      case RELU -> Optional.of(v -> Math.max(v, 0));
      case CLIP -> Optional.of(v -> Math.min(Math.max(v, alpha), beta));
      case LEAKY_RELU -> Optional.of(v -> v < 0 ? alpha * v : v);
      case HARD_SIGMOID -> Optional.of(v -> Math.min(Math.max(alpha * v + beta, 0), 1));
      case HARD_SWISH -> Optional.of(v -> v * Math.min(Math.max(v / 6 + 0.5, 0), 1));
      case SIGMOID -> Optional.of(v -> 1 / (1 + Math.exp(-v)));
      case TANH -> Optional.of(Math::tanh);
      case GELU_TANH ->
          Optional.of(
              v -> v / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v))));
      case SQRT -> Optional.of(Math::sqrt);
      case EXP -> Optional.of(Math::exp);
      case LOG -> Optional.of(Math::log);
      case ABS -> Optional.of(Math::abs);
      case NEG -> Optional.of(v -> -v);
      case RECIPROCAL -> Optional.of(v -> 1 / v);
      case ERF, GELU -> Optional.empty();
    };
  }

  private static Tensor binary(Op.Binary.Function kind, List<Tensor> inputs, Shape shape) {
    Tensor left = read(inputs.get(0), StridedView.broadcast(inputs.get(0).shape(), shape));
    Tensor right = read(inputs.get(1), StridedView.broadcast(inputs.get(1).shape(), shape));
    boolean equal = kind == Op.Binary.Function.EQUAL;
    Tensor y = empty(equal ? INT64 : left.type(), shape);
    for (long i = 0; i < shape.elements(); i++) {
      if (left.type() == INT64) {
        setLong(y, i, integers(kind).applyAsLong(getLong(left, i), getLong(right, i)));
      } else {
        set(y, i, reals(kind).applyAsDouble(number(left, i), number(right, i)));
      }
    }
    return y;
  }

  private static LongBinaryOperator integers(Op.Binary.Function kind) {
    return switch (kind) {
      case ADD -> (a, b) -> a + b;
      case SUB -> (a, b) -> a - b;
      case MUL -> (a, b) -> a * b;
      case DIV -> (a, b) -> a / nonZero(b);
      case POW -> (a, b) -> (long) Math.pow((double) a, (double) b);
      case MIN -> Math::min;
      case MAX -> Math::max;
      case PRELU -> (a, b) -> a < 0 ? a * b : a;
      case MOD -> (a, b) -> Math.floorMod(a, nonZero(b));
      case EQUAL -> (a, b) -> a == b ? 1 : 0;
    };
  }

  private static DoubleBinaryOperator reals(Op.Binary.Function kind) {
    return switch (kind) {
      case ADD -> (a, b) -> a + b;
      case SUB -> (a, b) -> a - b;
      case MUL -> (a, b) -> a * b;
      case DIV -> (a, b) -> a / b;
      case POW -> Math::pow;
      case MIN -> Math::min;
      case MAX -> Math::max;
      case PRELU -> (a, b) -> a < 0 ? a * b : a;
      case MOD -> (a, b) -> a - Math.floor(a / b) * b;
      case EQUAL -> (a, b) -> a == b ? 1 : 0;
    };
  }

  private static long nonZero(long divisor) {
    if (divisor == 0) {
      throw new IllegalArgumentException("integer division: got divisor 0");
    }
    return divisor;
  }

  private static Tensor where(List<Tensor> inputs, Shape shape) {
    Tensor condition = read(inputs.get(0), StridedView.broadcast(inputs.get(0).shape(), shape));
    Tensor yes = read(inputs.get(1), StridedView.broadcast(inputs.get(1).shape(), shape));
    Tensor no = read(inputs.get(2), StridedView.broadcast(inputs.get(2).shape(), shape));
    Tensor y = empty(yes.type(), shape);
    for (long i = 0; i < shape.elements(); i++) {
      copy(number(condition, i) != 0 ? yes : no, i, y, i);
    }
    return y;
  }

  private static Tensor reduce(Op.Reduce reduce, Tensor x, Shape shape) {
    List<Integer> axes = Axes.reduced(reduce.axes(), x.shape().rank());
    long[] dims = x.shape().toArray();
    long count = 1;
    for (int axis : axes) {
      count *= dims[axis];
      dims[axis] = 1;
    }
    // Elements of x meet their output through a view of the outputs that repeats reduced axes.
    double[] values = new double[Math.toIntExact(shape.elements())];
    java.util.Arrays.fill(
        values,
        switch (reduce.kind()) {
          case MEAN, SUM -> 0;
          case MAX -> Double.NEGATIVE_INFINITY;
          case PROD -> 1;
        });
    long[] next = {0};
    StridedView.broadcast(Shape.of(dims), x.shape())
        .forEach(
            target -> {
              double value = number(x, next[0]++);
              int at = (int) target;
              values[at] =
                  switch (reduce.kind()) {
                    case MEAN, SUM -> values[at] + value;
                    case MAX -> Math.max(values[at], value);
                    case PROD -> values[at] * value;
                  };
            });
    Tensor y = empty(x.type(), shape);
    for (int i = 0; i < values.length; i++) {
      set(y, i, reduce.kind() == Op.Reduce.Reduction.MEAN ? values[i] / count : values[i]);
    }
    return y;
  }

  private static Tensor concat(int concatAxis, List<Tensor> inputs, Shape shape) {
    int axis = Axes.index(concatAxis, shape.rank());
    Tensor y = empty(inputs.get(0).type(), shape);
    long start = 0;
    for (Tensor x : inputs) {
      long length = x.shape().dim(axis);
      long[] next = {0};
      StridedView.part(shape, axis, start, length).forEach(target -> copy(x, next[0]++, y, target));
      start += length;
    }
    return y;
  }

  private static Tensor gather(Op.Gather gather, List<Tensor> inputs, Shape shape) {
    Tensor x = inputs.get(0);
    int axis = Axes.index(gather.axis(), x.shape().rank());
    long size = x.shape().dim(axis);
    long[] indices = inputs.get(1).toLongs();
    long inner = 1;
    for (int i = axis + 1; i < x.shape().rank(); i++) {
      inner *= x.shape().dim(i);
    }
    Tensor y = empty(x.type(), shape);
    long outer = x.shape().elements() / Math.max(1, inner * size);
    for (long o = 0; o < outer; o++) {
      for (int i = 0; i < indices.length; i++) {
        long index = indices[i] < 0 ? indices[i] + size : indices[i];
        if (index < 0 || index >= size) {
          throw new IllegalArgumentException(
              "gather: got index %d, expected one below %d".formatted(indices[i], size));
        }
        for (long k = 0; k < inner; k++) {
          copy(x, (o * size + index) * inner + k, y, (o * indices.length + i) * inner + k);
        }
      }
    }
    return y;
  }

  private static Tensor pad(Op.Pad pad, List<Operand> operands, Tensor x, Shape shape) {
    int rank = shape.rank();
    long[] pads = ShapeInference.pads(operands);
    List<long[]> sources = new ArrayList<>();
    for (int axis = 0; axis < rank; axis++) {
      long size = x.shape().dim(axis);
      sources.add(ShapeInference.paddedIndices(pad.mode(), size, pads[axis], pads[axis + rank]));
    }
    long[] strides = StridedView.dense(x.shape()).strides();
    Tensor y = empty(x.type(), shape);
    for (long i = 0; i < shape.elements(); i++) {
      long rest = i;
      long from = 0;
      for (int axis = rank - 1; axis >= 0 && from >= 0; axis--) {
        long source = sources.get(axis)[(int) (rest % shape.dim(axis))];
        rest /= shape.dim(axis);
        from = source < 0 ? -1 : from + source * strides[axis];
      }
      if (from >= 0) {
        copy(x, from, y, i);
      } else {
        set(y, i, pad.value());
      }
    }
    return y;
  }

  private static Tensor cast(DataType to, Tensor x) {
    DataType type = ShapeInference.castTarget(to);
    if (type == x.type() && to != DataType.BOOL) {
      return x;
    }
    Tensor y = empty(type, x.shape());
    for (long i = 0; i < x.shape().elements(); i++) {
      if (to == DataType.BOOL) {
        setLong(y, i, number(x, i) != 0 ? 1 : 0);
      } else if (type == INT64) {
        setLong(y, i, (long) number(x, i));
      } else {
        y.data().set(JAVA_FLOAT_UNALIGNED, i * Float.BYTES, (float) getLong(x, i));
      }
    }
    return y;
  }

  private static Tensor fill(DataType type, Shape shape, double value) {
    Tensor y = empty(type, shape);
    for (long i = 0; i < shape.elements(); i++) {
      set(y, i, value);
    }
    return y;
  }

  private static Tensor range(List<Tensor> bounds, Shape shape) {
    Tensor y = empty(bounds.get(0).type(), shape);
    for (long i = 0; i < shape.elements(); i++) {
      set(y, i, number(bounds.get(0), 0) + i * number(bounds.get(2), 0));
    }
    return y;
  }

  private static Optional<List<Tensor>> one(Tensor tensor) {
    return Optional.of(List.of(tensor));
  }

  private static Tensor empty(DataType type, Shape shape) {
    int bytes = Math.toIntExact(Math.multiplyExact(shape.elements(), type.byteSize()));
    return new Tensor(type, shape, MemorySegment.ofArray(new byte[bytes]));
  }

  private static Tensor read(Tensor x, StridedView view) {
    Tensor y = empty(x.type(), view.shape());
    long[] next = {0};
    view.forEach(source -> copy(x, source, y, next[0]++));
    return y;
  }

  private static void copy(Tensor from, long source, Tensor to, long target) {
    if (from.type() == FP32) {
      float value = from.data().get(JAVA_FLOAT_UNALIGNED, source * Float.BYTES);
      to.data().set(JAVA_FLOAT_UNALIGNED, target * Float.BYTES, value);
    } else {
      setLong(to, target, getLong(from, source));
    }
  }

  private static double number(Tensor x, long index) {
    return x.type() == FP32
        ? x.data().get(JAVA_FLOAT_UNALIGNED, index * Float.BYTES)
        : getLong(x, index);
  }

  private static long getLong(Tensor x, long index) {
    return x.data().get(JAVA_LONG_UNALIGNED, index * Long.BYTES);
  }

  private static void setLong(Tensor y, long index, long value) {
    y.data().set(JAVA_LONG_UNALIGNED, index * Long.BYTES, value);
  }

  private static void set(Tensor y, long index, double value) {
    if (y.type() == FP32) {
      y.data().set(JAVA_FLOAT_UNALIGNED, index * Float.BYTES, (float) value);
    } else {
      setLong(y, index, (long) value);
    }
  }
}
