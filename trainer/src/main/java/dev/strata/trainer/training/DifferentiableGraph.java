package dev.strata.trainer.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.nn.pooling.Pool;
import dev.strata.graph.DataType;
import dev.strata.graph.Layer;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSource;
import dev.strata.precision.Bits;
import dev.strata.precision.CascadeView;
import dev.strata.precision.PlaneLayout;
import dev.strata.precision.PrecisionProfile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

/// The part of a layered network that its layers' tables act on, at one width, with gradients with
/// respect to the tables. Values are laid out as in the runtime, images as NHWC.
///
/// Inputs of layers are not rounded: at the widths that are worth tuning the weights' error is many
/// times larger.
final class DifferentiableGraph {
  private final ModelGraph graph;
  private final TensorSource tensors;
  private final List<Node> nodes = new ArrayList<>();
  private final Set<String> entries = new LinkedHashSet<>();
  private final Map<String, Weights> weights = new LinkedHashMap<>();
  private final Map<String, NDArray> constants = new HashMap<>();

  /// A layer at the width: `W = scaled * gain + raised * lift`.
  ///
  /// @param scaled `[rows, columns]`, what the table's scales make of the codes
  /// @param raised `[rows, groups]`, what its offsets add
  /// @param spread `[groups, columns]`, one where a column is of a group
  /// @param matrix `[rows, columns]`, all of it, where the table is not this width's own
  /// @param bias `[rows]`
  private record Weights(
      Layer layer,
      NDArray scaled,
      NDArray raised,
      NDArray spread,
      NDArray bias,
      Optional<NDArray> matrix) {}

  /// @param memory holds the weights
  DifferentiableGraph(
      ModelGraph graph, PrecisionProfile profile, TensorSource tensors, NDManager memory) {
    this.graph = graph;
    this.tensors = tensors;
    Set<String> reached = new LinkedHashSet<>();
    for (Node node : graph.nodes()) {
      if (layer(node).isPresent() || node.inputs().stream().anyMatch(reached::contains)) {
        nodes.add(node);
        reached.addAll(node.outputs());
      }
    }
    Set<String> known = new LinkedHashSet<>(reached);
    graph.constants().forEach(constant -> known.add(constant.name()));
    for (Node node : nodes) {
      node.inputs().stream()
          .filter(name -> !name.isEmpty() && !known.contains(name))
          .forEach(entries::add);
      layer(node).ifPresent(layer -> weights.put(layer.name(), weights(layer, profile, memory)));
    }
    graph.constants().stream()
        .filter(constant -> constant.type() == DataType.FP32)
        .filter(
            constant -> nodes.stream().anyMatch(node -> node.inputs().contains(constant.name())))
        .forEach(
            constant ->
                constants.put(
                    constant.name(),
                    TorchEngine.array(
                        memory, floats(constant.name()), new Shape(constant.shape().toArray()))));
  }

  private Optional<Layer> layer(Node node) {
    return switch (node.op()) {
      case Op.Linear linear -> Optional.of(graph.layer(linear.layer()));
      case Op.Conv conv -> Optional.of(graph.layer(conv.layer()));
      default -> Optional.empty();
    };
  }

  private float[] floats(String name) {
    return tensors.get(name).toArray(ValueLayout.JAVA_FLOAT);
  }

  private Weights weights(Layer layer, PrecisionProfile profile, NDManager memory) {
    PlaneLayout layout = layer.layout();
    Bits planes = profile.layer(layer.name()).planes();
    CascadeView view = CascadeView.of(layer.name(), layout, planes, tensors::get);
    MemorySegment none = MemorySegment.ofArray(new float[layout.paddedRows()]);
    CascadeView steps =
        new CascadeView(view.planes(), view.groups(), view.scale(), none, view.bias());
    CascadeView offsets =
        new CascadeView(view.planes(), view.groups(), none, view.offset(), view.bias());
    float[] scaled = new float[layout.rows() * layout.columns()];
    float[] raised = new float[layout.rows() * layout.groups()];
    float[] spread = new float[layout.groups() * layout.columns()];
    float[] bias = new float[layout.rows()];
    for (int column = 0; column < layout.columns(); column++) {
      spread[column / layout.groupSize() * layout.columns() + column] = 1;
    }
    IntStream.range(0, layout.rows())
        .parallel()
        .forEach(
            row -> {
              bias[row] = view.bias(row);
              for (int column = 0; column < layout.columns(); column++) {
                scaled[row * layout.columns() + column] = steps.weight(row, column);
              }
              for (int group = 0; group < layout.groups(); group++) {
                raised[row * layout.groups() + group] =
                    offsets.weight(row, group * layout.groupSize());
              }
            });
    NDArray steady = TorchEngine.array(memory, scaled, new Shape(layout.rows(), layout.columns()));
    NDArray lifted = TorchEngine.array(memory, raised, new Shape(layout.rows(), layout.groups()));
    NDArray places =
        TorchEngine.array(memory, spread, new Shape(layout.groups(), layout.columns()));
    return new Weights(
        layer,
        steady,
        lifted,
        places,
        TorchEngine.array(memory, bias, new Shape(layout.rows())),
        planes.equals(profile.bits())
            ? Optional.empty()
            : Optional.of(steady.add(lifted.matMul(places))));
  }

  /// Values that the nodes read and that no table acts on.
  Set<String> entries() {
    return entries;
  }

  /// Inputs of layers that tables act on, and the graph's outputs.
  Set<String> watched() {
    Set<String> made = new LinkedHashSet<>();
    Set<String> watched = new LinkedHashSet<>();
    for (Node node : nodes) {
      if (layer(node).isPresent() && made.contains(node.inputs().getFirst())) {
        watched.add(node.inputs().getFirst());
      }
      made.addAll(node.outputs());
    }
    graph.outputs().stream().filter(made::contains).forEach(watched::add);
    return watched;
  }

  /// Rows of the layers that have a table of this width, by name.
  Map<String, Integer> tuned() {
    Map<String, Integer> tuned = new LinkedHashMap<>();
    weights.forEach(
        (name, one) -> {
          if (one.matrix().isEmpty()) {
            tuned.put(name, one.layer().layout().rows());
          }
        });
    return tuned;
  }

  /// One run.
  ///
  /// @param memory of the run
  /// @param given by entry
  /// @param factors by layer: `[3, rows]`, the gain, the lift and what is added to the bias
  /// @return all values
  Map<String, NDArray> run(
      NDManager memory, Map<String, Tensor> given, Map<String, NDArray> factors) {
    Map<String, NDArray> values = new HashMap<>();
    Map<String, Tensor> others = new HashMap<>();
    given.forEach(
        (name, tensor) -> {
          if (tensor.type() == DataType.FP32) {
            values.put(name, array(memory, tensor));
          } else {
            others.put(name, tensor);
          }
        });
    for (Node node : nodes) {
      run(node, values, others, factors, memory);
    }
    return values;
  }

  private static NDArray array(NDManager memory, Tensor tensor) {
    return TorchEngine.array(memory, tensor.toFloats(), new Shape(tensor.shape().toArray()));
  }

  private void run(
      Node node,
      Map<String, NDArray> values,
      Map<String, Tensor> others,
      Map<String, NDArray> factors,
      NDManager memory) {
    List<NDArray> inputs =
        node.inputs().stream()
            .map(name -> values.containsKey(name) ? values.get(name) : constants.get(name))
            .toList();
    List<NDArray> outputs = outputs(node, inputs, others, factors, memory);
    for (int i = 0; i < outputs.size(); i++) {
      values.put(node.outputs().get(i), outputs.get(i));
    }
    if (outputs.isEmpty()) {
      steady(node, inputs, others)
          .forEach(
              (name, tensor) -> {
                if (tensor.type() == DataType.FP32) {
                  values.put(name, array(memory, tensor));
                } else {
                  others.put(name, tensor);
                }
              });
    }
  }

  /// @return nothing for an operator without a rule
  private List<NDArray> outputs(
      Node node,
      List<NDArray> inputs,
      Map<String, Tensor> others,
      Map<String, NDArray> factors,
      NDManager memory) {
    NDArray x = inputs.getFirst();
    if (node.op() instanceof Op.Where && !inputs.subList(1, 3).contains(null)) {
      return List.of(
          NDArrays.where(condition(node, x, others, memory), inputs.get(1), inputs.get(2)));
    }
    if (x == null) {
      return List.of();
    }
    return switch (node.op()) {
      case Op.Linear linear -> {
        Weights by = weights.get(linear.layer());
        yield List.of(
            activated(linear.activation(), residual(inputs, product(by, x, factors)), memory));
      }
      case Op.Conv conv -> {
        Weights by = weights.get(conv.layer());
        yield List.of(
            activated(
                conv.activation(), residual(inputs, convolution(conv, by, x, factors)), memory));
      }
      case Op.Unary unary -> List.of(activated(unary.function(), x, memory));
      case Op.Binary binary when inputs.get(1) != null -> binary(binary.kind(), x, inputs.get(1));
      case Op.MatMul _ -> List.of(x.matMul(inputs.get(1)));
      case Op.Softmax softmax -> List.of(x.softmax(softmax.axis()));
      case Op.LayerNorm norm ->
          List.of(
              LayerNorm.layerNorm(
                      x,
                      new Shape(x.getShape().getLastDimension()),
                      inputs.get(1),
                      inputs.get(2),
                      norm.epsilon())
                  .singletonOrThrow());
      case Op.Reduce reduce -> {
        BiFunction<NDArray, int[], NDArray> step =
            switch (reduce.kind()) {
              case MEAN -> (z, axis) -> z.mean(axis, reduce.keepDims());
              case SUM -> (z, axis) -> z.sum(axis, reduce.keepDims());
              case MAX -> (z, axis) -> z.max(axis, reduce.keepDims());
              case PROD -> (z, axis) -> z.prod(axis, reduce.keepDims());
            };
        yield List.of(along(reduce.axes(), x, step));
      }
      case Op.Pool pool when isEven(pool) -> List.of(pooled(pool, x));
      case Op.Concat concat when !inputs.contains(null) ->
          List.of(NDArrays.concat(new NDList(inputs), concat.axis()));
      case Op.Slice _ -> slice(node, x, others);
      case Op.Split split -> parts(split, node.outputs().size(), x);
      case Op.Gather gather when whole(node, 1, others).isPresent() ->
          List.of(gathered(x, gather.axis(), whole(node, 1, others).get()));
      case Op.Reshape reshape when !reshape.allowZero() && whole(node, 1, others).isPresent() ->
          List.of(x.reshape(shape(x, whole(node, 1, others).get().toLongs())));
      case Op.Flatten flatten ->
          List.of(x.reshape(x.getShape().slice(0, axis(flatten.axis(), x)).size(), -1));
      case Op.Transpose transpose -> List.of(x.transpose(axes(transpose.permutation())));
      case Op.Squeeze squeeze ->
          List.of(
              squeeze.axes().isEmpty() ? x.squeeze() : along(squeeze.axes(), x, NDArray::squeeze));
      case Op.Unsqueeze unsqueeze when unsqueeze.axes().size() == 1 ->
          List.of(x.expandDims(unsqueeze.axes().getFirst()));
      default -> List.of();
    };
  }

  /// As the runtime computes it, and no gradient passes: what comes before learns from the inputs
  /// of layers on this side of it.
  private Map<String, Tensor> steady(Node node, List<NDArray> inputs, Map<String, Tensor> others) {
    Map<String, Tensor> given = new HashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      NDArray floats = inputs.get(i);
      String name = node.inputs().get(i);
      if (floats != null) {
        dev.strata.graph.Shape shape = dev.strata.graph.Shape.of(floats.getShape().getShape());
        given.put(name, Tensor.of(shape, floats.toFloatArray()));
      } else if (!name.isEmpty()) {
        whole(node, i, others).ifPresent(tensor -> given.put(name, tensor));
      }
    }
    return RuntimeOperator.run(node, given);
  }

  private NDArray condition(
      Node node, NDArray floats, Map<String, Tensor> others, NDManager memory) {
    if (floats != null) {
      return floats.neq(0);
    }
    Tensor whole = whole(node, 0, others).orElseThrow();
    long[] values = whole.toLongs();
    float[] ones = new float[values.length];
    for (int i = 0; i < ones.length; i++) {
      ones[i] = values[i] == 0 ? 0 : 1;
    }
    return TorchEngine.array(memory, ones, new Shape(whole.shape().toArray())).neq(0);
  }

  private static List<NDArray> binary(Op.Binary.Function kind, NDArray a, NDArray b) {
    return switch (kind) {
      case ADD -> List.of(a.add(b));
      case SUB -> List.of(a.sub(b));
      case MUL -> List.of(a.mul(b));
      case DIV -> List.of(a.div(b));
      case MIN -> List.of(NDArrays.minimum(a, b));
      case MAX -> List.of(NDArrays.maximum(a, b));
      case PRELU -> List.of(Activation.relu(a).sub(Activation.relu(a.neg()).mul(b)));
      case POW, MOD, EQUAL -> List.of();
    };
  }

  /// The library takes one axis at a time; the last goes first, so that the others keep their
  /// places.
  private static NDArray along(
      List<Integer> axes, NDArray x, BiFunction<NDArray, int[], NDArray> step) {
    int rank = x.getShape().dimension();
    NDArray y = x;
    for (int axis :
        axes.stream()
            .mapToInt(one -> Math.floorMod(one, rank))
            .sorted()
            .boxed()
            .toList()
            .reversed()) {
      y = step.apply(y, new int[] {axis});
    }
    return y;
  }

  private static int[] axes(List<Integer> axes) {
    return axes.stream().mapToInt(axis -> axis).toArray();
  }

  private static int axis(int axis, NDArray x) {
    return Math.floorMod(axis, x.getShape().dimension());
  }

  /// An input of whole numbers: a value, or a constant.
  private Optional<Tensor> whole(Node node, int input, Map<String, Tensor> others) {
    String name = node.inputs().get(input);
    if (others.containsKey(name)) {
      return Optional.of(others.get(name));
    }
    return graph.constants().stream()
        .filter(constant -> constant.name().equals(name))
        .filter(constant -> constant.type() != DataType.FP32)
        .map(constant -> new Tensor(constant.type(), constant.shape(), tensors.get(name)))
        .findFirst();
  }

  private static Shape shape(NDArray x, long[] dims) {
    long[] shape = dims.clone();
    for (int i = 0; i < shape.length; i++) {
      shape[i] = shape[i] == 0 ? x.getShape().get(i) : shape[i];
    }
    return new Shape(shape);
  }

  private List<NDArray> slice(Node node, NDArray x, Map<String, Tensor> others) {
    List<long[]> bounds = new ArrayList<>();
    for (int input = 1; input <= 4; input++) {
      whole(node, input, others).ifPresent(one -> bounds.add(one.toLongs()));
    }
    if (bounds.size() < 4 || Arrays.stream(bounds.get(3)).anyMatch(step -> step < 1)) {
      return List.of();
    }
    String[] ranges = new String[x.getShape().dimension()];
    Arrays.fill(ranges, ":");
    for (int i = 0; i < bounds.get(2).length; i++) {
      int axis = axis((int) bounds.get(2)[i], x);
      long size = x.getShape().get(axis);
      ranges[axis] =
          "%d:%d:%d"
              .formatted(
                  bounded(bounds.get(0)[i], size),
                  bounded(bounds.get(1)[i], size),
                  bounds.get(3)[i]);
    }
    return List.of(x.get(new NDIndex(String.join(",", ranges))));
  }

  private static List<NDArray> parts(Op.Split split, int count, NDArray x) {
    int axis = axis(split.axis(), x);
    long size = x.getShape().get(axis);
    long[] starts = new long[count - 1];
    long at = 0;
    for (int i = 0; i < starts.length; i++) {
      at += split.sizes().isEmpty() ? size / count : split.sizes().get(i);
      starts[i] = at;
    }
    return List.copyOf(x.split(starts, axis));
  }

  /// A product with a matrix that has a one for each picked place.
  private static NDArray gathered(NDArray x, int along, Tensor indices) {
    int axis = axis(along, x);
    int size = Math.toIntExact(x.getShape().get(axis));
    long[] places = indices.toLongs();
    float[] picks = new float[places.length * size];
    for (int i = 0; i < places.length; i++) {
      picks[i * size + (int) Math.floorMod(places[i], (long) size)] = 1;
    }
    NDArray matrix = TorchEngine.array(x.getManager(), picks, new Shape(places.length, size));
    Shape before = x.getShape().slice(0, axis);
    Shape after = x.getShape().slice(axis + 1);
    NDArray rows = matrix.expandDims(0).matMul(x.reshape(before.size(), size, after.size()));
    return rows.reshape(before.addAll(new Shape(indices.shape().toArray())).addAll(after));
  }

  private static long bounded(long place, long size) {
    return Math.clamp(place < 0 ? place + size : place, 0, size);
  }

  private static NDArray residual(List<NDArray> inputs, NDArray y) {
    return inputs.size() > 1 ? y.add(inputs.get(1)) : y;
  }

  /// Two products keep the gradient of the matrix out of the way back.
  private NDArray product(Weights by, NDArray x, Map<String, NDArray> factors) {
    if (by.matrix().isPresent()) {
      return x.matMul(by.matrix().get().transpose()).add(by.bias());
    }
    NDArray factor = factors.get(by.layer().name());
    NDArray scaled = x.matMul(by.scaled().transpose()).mul(factor.get(0));
    NDArray raised =
        x.matMul(by.spread().transpose()).matMul(by.raised().transpose()).mul(factor.get(1));
    return scaled.add(raised).add(factor.get(2).add(by.bias()));
  }

  private NDArray convolution(Op.Conv conv, Weights by, NDArray x, Map<String, NDArray> factors) {
    Layer layer = by.layer();
    Op.Window window = conv.window();
    long rows = layer.layout().rows();
    long in = layer.layout().columns() / (window.kernelHeight() * window.kernelWidth());
    NDArray matrix = by.matrix().orElse(null);
    NDArray bias = by.bias();
    if (matrix == null) {
      NDArray factor = factors.get(layer.name());
      NDArray raised = by.raised().mul(factor.get(1).expandDims(1)).matMul(by.spread());
      matrix = by.scaled().mul(factor.get(0).expandDims(1)).add(raised);
      bias = bias.add(factor.get(2));
    }
    NDArray y =
        TorchEngine.convolution(
            padded(window, x).transpose(0, 3, 1, 2),
            matrix
                .reshape(rows, window.kernelHeight(), window.kernelWidth(), in)
                .transpose(0, 3, 1, 2),
            new Shape(window.strideHeight(), window.strideWidth()),
            new Shape(0, 0),
            new Shape(window.dilationHeight(), window.dilationWidth()),
            conv.groups());
    return y.transpose(0, 2, 3, 1).add(bias);
  }

  /// Zeros around an image, since the library pads both sides alike.
  private static NDArray padded(Op.Window window, NDArray x) {
    NDArray wide = zeros(zeros(x, 1, window.padTop(), true), 1, window.padBottom(), false);
    return zeros(zeros(wide, 2, window.padLeft(), true), 2, window.padRight(), false);
  }

  private static NDArray zeros(NDArray x, int axis, int count, boolean before) {
    if (count == 0) {
      return x;
    }
    long[] dims = x.getShape().getShape().clone();
    dims[axis] = count;
    NDArray zeros = x.getManager().zeros(new Shape(dims));
    return NDArrays.concat(before ? new NDList(zeros, x) : new NDList(x, zeros), axis);
  }

  /// The library pads both sides alike.
  private static boolean isEven(Op.Pool pool) {
    Op.Window window = pool.window();
    return !pool.ceilMode()
        && window.padTop() == window.padBottom()
        && window.padLeft() == window.padRight()
        && window.dilationHeight() == 1
        && window.dilationWidth() == 1;
  }

  private NDArray pooled(Op.Pool pool, NDArray x) {
    Op.Window window = pool.window();
    Shape kernel = new Shape(window.kernelHeight(), window.kernelWidth());
    Shape stride = new Shape(window.strideHeight(), window.strideWidth());
    Shape pad = new Shape(window.padTop(), window.padLeft());
    NDArray image = x.transpose(0, 3, 1, 2);
    NDArray y =
        switch (pool.kind()) {
          case MAX -> Pool.maxPool2d(image, kernel, stride, pad, false);
          case AVERAGE -> Pool.avgPool2d(image, kernel, stride, pad, false, pool.countPadding());
        };
    return y.transpose(0, 2, 3, 1);
  }

  private static NDArray activated(
      dev.strata.graph.Activation activation, NDArray y, NDManager memory) {
    return switch (activation.kind()) {
      case IDENTITY -> y;
      case RELU -> Activation.relu(y);
      case GELU -> Activation.gelu(y);
      case SIGMOID -> Activation.sigmoid(y);
      case TANH -> Activation.tanh(y);
      case CLIP -> y.clip(activation.alpha(), activation.beta());
      case LEAKY_RELU ->
          Activation.relu(y)
              .sub(Activation.relu(y.neg()).mul(TorchEngine.number(memory, activation.alpha())));
      case HARD_SIGMOID ->
          y.mul(TorchEngine.number(memory, activation.alpha()))
              .add(TorchEngine.number(memory, activation.beta()))
              .clip(0, 1);
      case HARD_SWISH ->
          y.mul(
              y.mul(TorchEngine.number(memory, 1 / 6f))
                  .add(TorchEngine.number(memory, 0.5f))
                  .clip(0, 1));
      case GELU_TANH ->
          y.mul(
              Activation.sigmoid(
                  y.add(y.mul(y).mul(y).mul(TorchEngine.number(memory, 0.044715f)))
                      .mul(TorchEngine.number(memory, (float) (2 * Math.sqrt(2 / Math.PI))))));
      case ERF -> y.erf();
      case SQRT -> y.sqrt();
      case EXP -> y.exp();
      case LOG -> y.log();
      case ABS -> y.abs();
      case NEG -> y.neg();
      case RECIPROCAL -> TorchEngine.number(memory, 1).div(y);
    };
  }
}
