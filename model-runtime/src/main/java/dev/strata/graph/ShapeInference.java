package dev.strata.graph;

import static dev.strata.graph.DataType.FP32;
import static dev.strata.graph.DataType.INT64;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/// Types and shapes of an operator's outputs from those of its inputs. Errors say what was got and
/// what was expected; the caller adds the node's name.
public final class ShapeInference {
  private ShapeInference() {}

  /// @param layer the weighted layer that the operator names
  public static List<TensorType> infer(Op op, Optional<Layer> layer, List<Operand> inputs) {
    return switch (op) {
      case Op.Linear _ -> one(FP32, linear(weights(layer), inputs));
      case Op.Conv conv -> one(FP32, conv(weights(layer), conv, inputs));
      case Op.Embedding _ -> {
        Operand ids = typed(inputs, 0, INT64);
        yield one(FP32, append(ids.shape(), weights(layer).layout().columns()));
      }
      case Op.MatMul _ -> one(FP32, matMul(shape(inputs, 0, FP32), shape(inputs, 1, FP32)));
      case Op.Unary _ -> List.of(input(inputs, 0).type());
      case Op.Binary binary -> {
        Operand left = input(inputs, 0);
        Operand right = typed(inputs, 1, left.type().type());
        DataType type = binary.kind() == Op.Binary.Function.EQUAL ? INT64 : left.type().type();
        yield one(type, broadcast(left.shape(), right.shape()));
      }
      case Op.Where _ -> {
        Operand left = input(inputs, 1);
        Operand right = typed(inputs, 2, left.type().type());
        Shape both = broadcast(left.shape(), right.shape());
        yield one(left.type().type(), broadcast(input(inputs, 0).shape(), both));
      }
      case Op.Softmax softmax -> {
        Shape x = shape(inputs, 0, FP32);
        Axes.index(softmax.axis(), x.rank());
        yield one(FP32, x);
      }
      case Op.LayerNorm _ -> one(FP32, layerNorm(inputs));
      case Op.Reduce reduce -> {
        TensorType x = input(inputs, 0).type();
        yield one(x.type(), reduce(x.shape(), reduce));
      }
      case Op.Pool pool -> one(FP32, pool(shape(inputs, 0, FP32), pool));
      case Op.Concat concat -> one(input(inputs, 0).type().type(), concat(inputs, concat.axis()));
      case Op.Slice _ -> one(input(inputs, 0).type().type(), slice(inputs).shape());
      case Op.Split split -> {
        TensorType x = input(inputs, 0).type();
        yield split(x.shape(), split).stream()
            .map(part -> new TensorType(x.type(), part.shape()))
            .toList();
      }
      case Op.Gather gather -> {
        TensorType x = input(inputs, 0).type();
        yield one(x.type(), gather(x.shape(), shape(inputs, 1, INT64), gather.axis()));
      }
      case Op.Reshape reshape -> {
        TensorType x = input(inputs, 0).type();
        long[] dims = input(inputs, 1).staticLongs("shape of reshape");
        yield one(x.type(), reshape(x.shape(), dims, reshape.allowZero()));
      }
      case Op.Flatten flatten -> {
        TensorType x = input(inputs, 0).type();
        yield one(x.type(), flatten(x.shape(), flatten.axis()));
      }
      case Op.Transpose transpose -> {
        TensorType x = input(inputs, 0).type();
        yield one(x.type(), StridedView.transpose(x.shape(), transpose.permutation()).shape());
      }
      case Op.Squeeze squeeze -> {
        TensorType x = input(inputs, 0).type();
        yield one(x.type(), squeeze(x.shape(), squeeze.axes()));
      }
      case Op.Unsqueeze unsqueeze -> {
        TensorType x = input(inputs, 0).type();
        yield one(x.type(), unsqueeze(x.shape(), unsqueeze.axes()));
      }
      case Op.Pad _ -> one(input(inputs, 0).type().type(), pad(inputs));
      case Op.Resize resize -> one(FP32, resize(inputs, resize));
      case Op.Expand _ -> {
        TensorType x = input(inputs, 0).type();
        Shape to = Shape.of(input(inputs, 1).staticLongs("shape of expand"));
        yield one(x.type(), broadcast(x.shape(), to));
      }
      case Op.Cast cast -> one(castTarget(cast.to()), input(inputs, 0).shape());
      case Op.ShapeOf _ -> one(INT64, Shape.of(input(inputs, 0).shape().rank()));
      case Op.ConstantOfShape constant ->
          one(constant.type(), Shape.of(input(inputs, 0).staticLongs("constant's shape")));
      case Op.Range _ -> range(inputs);
    };
  }

  /// The shape that two operands of an elementwise operator are stretched to.
  public static Shape broadcast(Shape left, Shape right) {
    int rank = Math.max(left.rank(), right.rank());
    long[] dims = new long[rank];
    for (int axis = 0; axis < rank; axis++) {
      long a = axis < rank - left.rank() ? 1 : left.dim(axis - rank + left.rank());
      long b = axis < rank - right.rank() ? 1 : right.dim(axis - rank + right.rank());
      if (a != b && a != 1 && b != 1) {
        throw new IllegalArgumentException(
            "broadcast: got shapes %s and %s, expected equal sizes or 1 from the end"
                .formatted(left, right));
      }
      dims[axis] = a == 1 ? b : a;
    }
    return Shape.of(dims);
  }

  /// The view that a Slice reads.
  public static StridedView slice(List<Operand> inputs) {
    Shape x = input(inputs, 0).shape();
    long[] starts = input(inputs, 1).staticLongs("starts of slice");
    long[] ends = input(inputs, 2).staticLongs("ends of slice");
    long[] axes = new long[starts.length];
    Arrays.setAll(axes, i -> i);
    long[] steps = new long[starts.length];
    Arrays.fill(steps, 1);
    return StridedView.slice(
        x,
        starts,
        ends,
        inputs.size() > 3 ? inputs.get(3).staticLongs("axes of slice") : axes,
        inputs.size() > 4 ? inputs.get(4).staticLongs("steps of slice") : steps);
  }

  /// The views that the outputs of a Split read. Without sizes the graph's node says how many equal
  /// parts there are, so `sizes` must be given here.
  public static List<StridedView> split(Shape x, Op.Split split) {
    int axis = Axes.index(split.axis(), x.rank());
    long total = split.sizes().stream().mapToLong(Long::longValue).sum();
    if (total != x.dim(axis)) {
      throw new IllegalArgumentException(
          "split: got sizes %s, expected a sum of %d".formatted(split.sizes(), x.dim(axis)));
    }
    List<StridedView> parts = new ArrayList<>();
    long start = 0;
    for (long size : split.sizes()) {
      parts.add(StridedView.part(x, axis, start, size));
      start += size;
    }
    return parts;
  }

  /// A Split whose parts are written out: equal ones for as many outputs as the node has.
  public static Op.Split sized(Op.Split split, Shape x, int outputs) {
    if (!split.sizes().isEmpty()) {
      return split;
    }
    long size = x.dim(Axes.index(split.axis(), x.rank()));
    if (size % outputs != 0) {
      throw new IllegalArgumentException(
          "split: got %d outputs, expected a divisor of %d".formatted(outputs, size));
    }
    return new Op.Split(split.axis(), Collections.nCopies(outputs, size / outputs));
  }

  /// The elements of one axis after padding, as indices before it; -1 where a constant goes.
  public static long[] paddedIndices(Op.Pad.Filling mode, long size, long begin, long end) {
    long[] indices = new long[Math.toIntExact(Math.max(0, size + begin + end))];
    long period = Math.max(1, 2 * (size - 1));
    for (int i = 0; i < indices.length; i++) {
      long index = i - begin;
      indices[i] =
          switch (mode) {
            case CONSTANT -> index < 0 || index >= size ? -1 : index;
            case EDGE -> Math.clamp(index, 0, size - 1);
            case REFLECT -> {
              long within = Math.floorMod(index, period);
              yield within < size ? within : period - within;
            }
          };
    }
    return indices;
  }

  /// The pads of a Pad operator: `[begin..., end...]`.
  public static long[] pads(List<Operand> inputs) {
    long[] pads = input(inputs, 1).staticLongs("pads");
    int rank = input(inputs, 0).shape().rank();
    if (pads.length != 2 * rank) {
      throw new IllegalArgumentException(
          "pads: got %d numbers, expected %d".formatted(pads.length, 2 * rank));
    }
    return pads;
  }

  static DataType castTarget(DataType to) {
    return switch (to) {
      case FP32, FP16, BF16, FP64 -> FP32;
      case BOOL, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64 -> INT64;
      case BYTES -> throw new IllegalArgumentException("cast: got BYTES, expected a number type");
    };
  }

  private static Shape linear(Layer layer, List<Operand> inputs) {
    Shape x = shape(inputs, 0, FP32);
    long columns = layer.layout().columns();
    if (x.rank() == 0 || x.dim(-1) != columns) {
      throw new IllegalArgumentException(
          "input of layer '%s': got shape %s, expected [..., %d]"
              .formatted(layer.name(), x, columns));
    }
    long[] dims = x.toArray();
    dims[dims.length - 1] = layer.layout().rows();
    return residual(layer, Shape.of(dims), inputs);
  }

  private static Shape conv(Layer layer, Op.Conv conv, List<Operand> inputs) {
    Shape x = image(shape(inputs, 0, FP32));
    int taps = conv.window().kernelHeight() * conv.window().kernelWidth();
    long channels =
        layer.kind() == Layer.Kind.DEPTHWISE
            ? layer.layout().rows()
            : (long) layer.layout().columns() / taps * conv.groups();
    if (x.dim(3) != channels) {
      throw new IllegalArgumentException(
          "input of layer '%s': got shape %s, expected [N, H, W, %d]"
              .formatted(layer.name(), x, channels));
    }
    long height = conv.window().outputHeight(x.dim(1), false);
    long width = conv.window().outputWidth(x.dim(2), false);
    if (height < 1 || width < 1) {
      throw new IllegalArgumentException(
          "input of layer '%s': got shape %s, smaller than the window".formatted(layer.name(), x));
    }
    return residual(layer, Shape.of(x.dim(0), height, width, layer.layout().rows()), inputs);
  }

  private static Shape residual(Layer layer, Shape out, List<Operand> inputs) {
    if (inputs.size() > 1 && !shape(inputs, 1, FP32).equals(out)) {
      throw new IllegalArgumentException(
          "residual of layer '%s': got shape %s, expected %s"
              .formatted(layer.name(), inputs.get(1).shape(), out));
    }
    return out;
  }

  private static Shape matMul(Shape left, Shape right) {
    if (left.rank() == 0 || right.rank() == 0) {
      throw new IllegalArgumentException(
          "matmul: got shapes %s and %s, expected at least one axis".formatted(left, right));
    }
    long k = left.dim(-1);
    long other = right.rank() == 1 ? right.dim(0) : right.dim(-2);
    if (k != other) {
      throw new IllegalArgumentException(
          "matmul: got shapes %s and %s, expected equal inner sizes".formatted(left, right));
    }
    List<Long> dims = new ArrayList<>(broadcast(batchOf(left), batchOf(right)).dims());
    if (left.rank() > 1) {
      dims.add(left.dim(-2));
    }
    if (right.rank() > 1) {
      dims.add(right.dim(-1));
    }
    return new Shape(dims);
  }

  /// The axes of a matrix product's operand before the matrix.
  public static Shape batchOf(Shape matrices) {
    return new Shape(matrices.dims().subList(0, Math.max(0, matrices.rank() - 2)));
  }

  private static Shape layerNorm(List<Operand> inputs) {
    Shape x = shape(inputs, 0, FP32);
    for (int i = 1; i <= 2; i++) {
      Shape parameter = shape(inputs, i, FP32);
      if (x.rank() == 0 || !parameter.equals(Shape.of(x.dim(-1)))) {
        throw new IllegalArgumentException(
            "layer norm: got parameter shape %s for input %s".formatted(parameter, x));
      }
    }
    return x;
  }

  private static Shape reduce(Shape x, Op.Reduce reduce) {
    List<Integer> axes = Axes.reduced(reduce.axes(), x.rank());
    List<Long> dims = new ArrayList<>();
    for (int axis = 0; axis < x.rank(); axis++) {
      if (!axes.contains(axis)) {
        dims.add(x.dim(axis));
      } else if (reduce.keepDims()) {
        dims.add(1L);
      }
    }
    return new Shape(dims);
  }

  private static Shape pool(Shape input, Op.Pool pool) {
    Shape x = image(input);
    Op.Window window = pool.window();
    long height = window.outputHeight(x.dim(1), pool.ceilMode());
    long width = window.outputWidth(x.dim(2), pool.ceilMode());
    // A window that would start behind the image and its leading padding is left out.
    if (pool.ceilMode() && (height - 1) * window.strideHeight() >= x.dim(1) + window.padTop()) {
      height--;
    }
    if (pool.ceilMode() && (width - 1) * window.strideWidth() >= x.dim(2) + window.padLeft()) {
      width--;
    }
    if (height < 1 || width < 1) {
      throw new IllegalArgumentException(
          "pool: got shape %s, smaller than the window".formatted(x));
    }
    return Shape.of(x.dim(0), height, width, x.dim(3));
  }

  private static Shape concat(List<Operand> inputs, int concatAxis) {
    TensorType first = input(inputs, 0).type();
    int axis = Axes.index(concatAxis, first.shape().rank());
    long[] dims = first.shape().toArray();
    for (int i = 1; i < inputs.size(); i++) {
      long[] next = shape(inputs, i, first.type()).toArray();
      if (next.length == dims.length) {
        long sum = dims[axis] + next[axis];
        dims[axis] = next[axis];
        if (Arrays.equals(dims, next)) {
          dims[axis] = sum;
          continue;
        }
      }
      throw new IllegalArgumentException(
          "concat on axis %d: got shapes %s"
              .formatted(axis, inputs.stream().map(Operand::shape).toList()));
    }
    return Shape.of(dims);
  }

  private static Shape gather(Shape x, Shape indices, int gatherAxis) {
    int axis = Axes.index(gatherAxis, x.rank());
    List<Long> dims = new ArrayList<>(x.dims().subList(0, axis));
    dims.addAll(indices.dims());
    dims.addAll(x.dims().subList(axis + 1, x.rank()));
    return new Shape(dims);
  }

  private static Shape reshape(Shape x, long[] wanted, boolean allowZero) {
    long[] dims = wanted.clone();
    int inferred = -1;
    long known = 1;
    for (int i = 0; i < dims.length; i++) {
      if (dims[i] == 0 && !allowZero) {
        if (i >= x.rank()) {
          throw new IllegalArgumentException(
              "reshape: got %s for input %s, 0 has no size to copy"
                  .formatted(Arrays.toString(wanted), x));
        }
        dims[i] = x.dim(i);
      }
      if (dims[i] == -1 && inferred < 0) {
        inferred = i;
      } else if (dims[i] >= 0) {
        known = Math.multiplyExact(known, dims[i]);
      } else {
        throw new IllegalArgumentException(
            "reshape: got %s, expected sizes and at most one -1"
                .formatted(Arrays.toString(wanted)));
      }
    }
    long elements = x.elements();
    if (inferred >= 0 && known != 0) {
      dims[inferred] = elements / known;
      known *= dims[inferred];
    }
    if (known != elements || (inferred >= 0 && dims[inferred] < 0)) {
      throw new IllegalArgumentException(
          "reshape: got %s, does not fit the input %s".formatted(Arrays.toString(wanted), x));
    }
    return Shape.of(dims);
  }

  private static Shape flatten(Shape x, int flattenAxis) {
    int axis =
        flattenAxis == x.rank() ? flattenAxis : Axes.index(flattenAxis, Math.max(1, x.rank()));
    long outer = 1;
    for (int i = 0; i < axis; i++) {
      outer = Math.multiplyExact(outer, x.dim(i));
    }
    long inner = 1;
    for (int i = axis; i < x.rank(); i++) {
      inner = Math.multiplyExact(inner, x.dim(i));
    }
    return Shape.of(outer, inner);
  }

  private static Shape squeeze(Shape x, List<Integer> squeezed) {
    List<Integer> axes = squeezed.stream().map(axis -> Axes.index(axis, x.rank())).toList();
    List<Long> dims = new ArrayList<>();
    for (int axis = 0; axis < x.rank(); axis++) {
      boolean dropped = axes.isEmpty() ? x.dim(axis) == 1 : axes.contains(axis);
      if (!dropped) {
        dims.add(x.dim(axis));
      } else if (x.dim(axis) != 1) {
        throw new IllegalArgumentException(
            "squeeze: got size %d on axis %d of %s, expected 1".formatted(x.dim(axis), axis, x));
      }
    }
    return new Shape(dims);
  }

  private static Shape unsqueeze(Shape x, List<Integer> inserted) {
    int rank = x.rank() + inserted.size();
    List<Long> dims = new ArrayList<>(x.dims());
    inserted.stream()
        .map(axis -> Axes.index(axis, rank))
        .sorted()
        .forEach(axis -> dims.add(axis, 1L));
    return new Shape(dims);
  }

  private static Shape pad(List<Operand> inputs) {
    long[] dims = input(inputs, 0).shape().toArray();
    long[] pads = pads(inputs);
    for (int axis = 0; axis < dims.length; axis++) {
      dims[axis] = Math.max(0, dims[axis] + pads[axis] + pads[axis + dims.length]);
    }
    return Shape.of(dims);
  }

  private static Shape resize(List<Operand> inputs, Op.Resize resize) {
    Shape x = image(shape(inputs, 0, FP32));
    long height;
    long width;
    if (resize.scales().isEmpty()) {
      long[] sizes = input(inputs, 1).staticLongs("sizes of resize");
      if (sizes.length != 2) {
        throw new IllegalArgumentException(
            "sizes of resize: got %s, expected height and width".formatted(Arrays.toString(sizes)));
      }
      height = sizes[0];
      width = sizes[1];
    } else {
      height = (long) Math.floor(x.dim(1) * (double) resize.scales().get(0));
      width = (long) Math.floor(x.dim(2) * (double) resize.scales().get(1));
    }
    return Shape.of(x.dim(0), height, width, x.dim(3));
  }

  private static List<TensorType> range(List<Operand> inputs) {
    for (int i = 0; i < 3; i++) {
      if (input(inputs, i).value().isEmpty()) {
        throw new IllegalArgumentException(
            "range: got a bound that is computed at run time, expected a static one");
      }
    }
    DataType type = inputs.get(0).type().type();
    return one(
        type,
        Shape.of(
            ConstantFolding.rangeLength(
                inputs.stream().map(operand -> operand.value().orElseThrow()).toList())));
  }

  private static Shape append(Shape shape, long dim) {
    List<Long> dims = new ArrayList<>(shape.dims());
    dims.add(dim);
    return new Shape(dims);
  }

  private static List<TensorType> one(DataType type, Shape shape) {
    return List.of(new TensorType(type, shape));
  }

  private static Operand input(List<Operand> inputs, int index) {
    if (index >= inputs.size()) {
      throw new IllegalArgumentException(
          "inputs: got %d, expected at least %d".formatted(inputs.size(), index + 1));
    }
    return inputs.get(index);
  }

  private static Operand typed(List<Operand> inputs, int index, DataType type) {
    Operand operand = input(inputs, index);
    if (operand.type().type() != type) {
      throw new IllegalArgumentException(
          "input %d: got %s, expected %s".formatted(index, operand.type(), type));
    }
    return operand;
  }

  private static Shape shape(List<Operand> inputs, int index, DataType type) {
    return typed(inputs, index, type).shape();
  }

  private static Shape image(Shape x) {
    if (x.rank() != 4) {
      throw new IllegalArgumentException("image: got shape %s, expected [N, H, W, C]".formatted(x));
    }
    return x;
  }

  private static Layer weights(Optional<Layer> layer) {
    return layer.orElseThrow(() -> new IllegalArgumentException("layer: got none"));
  }
}
