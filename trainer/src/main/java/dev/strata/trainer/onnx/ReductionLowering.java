package dev.strata.trainer.onnx;

import dev.strata.graph.Activation;
import dev.strata.graph.Op;
import dev.strata.graph.Op.Binary.Function;
import dev.strata.graph.Op.Reduce.Reduction;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// Operators that look along whole axes: sums, softmax, layer normalization.
final class ReductionLowering {
  /// Since this opset Softmax works along one axis; before, over all axes from it on.
  private static final int SOFTMAX_ALONG_ONE_AXIS = 13;

  private final Values values;

  ReductionLowering(Values values) {
    this.values = values;
  }

  void register(Map<String, Consumer<OnnxNode>> table) {
    table.put("ReduceMean", node -> reduce(node, Reduction.MEAN));
    table.put("ReduceSum", node -> reduce(node, Reduction.SUM));
    table.put("ReduceMax", node -> reduce(node, Reduction.MAX));
    table.put("Softmax", this::softmax);
    table.put("LayerNormalization", this::layerNormalization);
  }

  private void reduce(OnnxNode node, Reduction kind) {
    String value = node.input(0);
    int rank = values.rank(value);
    List<Integer> axes = Axes.reduced(node, values.network(), rank);
    Layout home = values.home(value);
    if (axes.isEmpty()) {
      values.define(node.output(), home, values.get(value, home));
      return;
    }
    boolean keep = node.attributes().flag("keepdims", true);
    Layout source = keep || Reductions.isFree(axes, home, rank) ? home : Layout.PLAIN;
    Layout result = keep ? home : Reductions.afterRemoving(axes, home, rank);
    List<Integer> places =
        axes.stream().map(axis -> source.position(axis, rank)).sorted().toList();
    values.add(
        node, new Op.Reduce(kind, places, keep), List.of(values.get(value, source)), result);
  }

  private void softmax(OnnxNode node) {
    String value = node.input(0);
    List<Extent> in = values.extents(value);
    boolean flattens = values.network().opset() < SOFTMAX_ALONG_ONE_AXIS;
    int axis =
        Axes.normal((int) node.attributes().integer("axis", flattens ? 1 : -1), in.size());
    boolean oneAxis = in.stream().skip(axis + 1L).allMatch(extent -> extent.is(1));
    if (!flattens || oneAxis) {
      Layout home = values.home(value);
      values.add(
          node,
          new Op.Softmax(home.position(axis, in.size())),
          List.of(values.get(value, home)),
          home);
      return;
    }
    String x = values.plain(value);
    String rows = values.step(node, new Op.Softmax(1), values.step(node, new Op.Flatten(axis), x));
    String shape = values.step(node, new Op.ShapeOf(), x);
    values.add(node, new Op.Reshape(true), List.of(rows, shape), Layout.PLAIN);
  }

  private void layerNormalization(OnnxNode node) {
    String value = node.input(0);
    List<Extent> in = values.extents(value);
    int axis = Axes.normal((int) node.attributes().integer("axis", -1), in.size());
    float epsilon = node.attributes().real("epsilon", 1e-5f);
    Extent width = Extent.product(in.subList(axis, in.size()));
    String x = values.plain(value);
    boolean lastAxis = axis == in.size() - 1;
    String rows = lastAxis ? x : rows(node, x, width);
    String scale = vector(node, node.input(1), width);
    String bias =
        node.optionalInput(2)
            .map(name -> vector(node, name, width))
            .orElseGet(() -> zeros(node, width));
    Op op = new Op.LayerNorm(epsilon);
    if (lastAxis) {
      values.add(node, op, List.of(rows, scale, bias), Layout.PLAIN);
    } else {
      String normal = values.step(node, op, rows, scale, bias);
      String shape = values.step(node, new Op.ShapeOf(), x);
      values.add(node, new Op.Reshape(true), List.of(normal, shape), Layout.PLAIN);
    }
    statistics(node, x, IntStream.range(axis, in.size()).boxed().toList(), epsilon);
  }

  private String rows(OnnxNode node, String x, Extent width) {
    return values.step(
        node, new Op.Reshape(false), x, values.graph().numbers(-1, known(width)));
  }

  private String vector(OnnxNode node, String value, Extent width) {
    Optional<Tensor> constant = values.constant(value);
    if (constant.isPresent() && constant.get().shape().rank() != 1) {
      Shape flat = Shape.of(constant.get().shape().elements());
      return values.graph().constant(value + "@vector", Tensors.reshape(constant.get(), flat));
    }
    if (values.rank(value) == 1) {
      return values.plain(value);
    }
    return values.step(
        node,
        new Op.Reshape(false),
        values.plain(value),
        values.graph().numbers(known(width)));
  }

  private String zeros(OnnxNode node, Extent width) {
    int count = Math.toIntExact(known(width));
    return values
        .graph()
        .constant(node.name() + "@bias", Tensor.of(Shape.of(count), new float[count]));
  }

  private static long known(Extent width) {
    if (!width.isKnown()) {
      throw new ModelImportException("normalizes " + width + " elements; expected a known number");
    }
    return width.size();
  }

  /// Mean and reciprocal deviation, where the network asks for them.
  private void statistics(OnnxNode node, String x, List<Integer> axes, float epsilon) {
    Optional<String> meanOutput = node.optionalOutput(1);
    Optional<String> deviationOutput = node.optionalOutput(2);
    if (meanOutput.isEmpty() && deviationOutput.isEmpty()) {
      return;
    }
    Op mean = new Op.Reduce(Reduction.MEAN, axes, true);
    String center = values.step(node, mean, x);
    meanOutput.ifPresent(name -> values.define(name, Layout.PLAIN, center));
    if (deviationOutput.isPresent()) {
      String away = values.step(node, new Op.Binary(Function.SUB), x, center);
      String square = values.step(node, new Op.Binary(Function.MUL), away, away);
      String variance = values.step(node, mean, square);
      String floor = values.graph().constant(node.name() + "@epsilon", Tensors.scalar(epsilon));
      String safe = values.step(node, new Op.Binary(Function.ADD), variance, floor);
      String root = values.step(node, unary(Activation.Kind.SQRT), safe);
      values.define(
          deviationOutput.get(),
          Layout.PLAIN,
          values.step(node, unary(Activation.Kind.RECIPROCAL), root));
    }
  }

  private static Op unary(Activation.Kind kind) {
    return new Op.Unary(Activation.of(kind));
  }
}
