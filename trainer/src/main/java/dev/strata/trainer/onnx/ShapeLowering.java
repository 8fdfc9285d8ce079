package dev.strata.trainer.onnx;

import dev.strata.graph.DataType;
import dev.strata.graph.Op;
import dev.strata.graph.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// Operators that move elements without computing. Many of them cost nothing because the result in
/// ONNX's order is the operand in memory's order, or the other way round.
final class ShapeLowering {
  private final Values values;

  ShapeLowering(Values values) {
    this.values = values;
  }

  void register(Map<String, Consumer<OnnxNode>> table) {
    table.put("Transpose", this::transpose);
    table.put("Reshape", this::reshape);
    table.put("Flatten", this::flatten);
    table.put("Squeeze", this::squeeze);
    table.put("Unsqueeze", this::unsqueeze);
    table.put("Concat", this::concat);
    table.put("Split", this::split);
    table.put("Slice", this::slice);
    table.put("Shape", this::shape);
    table.put("Expand", this::expand);
    table.put("ConstantOfShape", this::constantOfShape);
    table.put("Range", this::range);
  }

  private void transpose(OnnxNode node) {
    String value = node.input(0);
    int rank = values.rank(value);
    List<Integer> permutation = Axes.permutation(node, rank);
    Layout home = values.home(value);
    String x = values.get(value, home);
    // In memory x stays as it is: which axes of the result does that make, in which order?
    List<Integer> order = home.order(rank).stream().map(permutation::indexOf).toList();
    Optional<Layout> free = Layout.ofOrder(order);
    if (free.isPresent()) {
      values.define(node.output(), free.get(), x);
      return;
    }
    List<Integer> places = permutation.stream().map(axis -> home.position(axis, rank)).toList();
    String result = values.graph().transpose(node.name(), x, places, node.output());
    values.define(node.output(), Layout.PLAIN, result);
  }

  private void reshape(OnnxNode node) {
    if (mergesPlaces(node)) {
      long channels = values.extents(node.output()).get(1).size();
      values.add(
          node,
          new Op.Reshape(false),
          List.of(
              values.get(node.input(0), Layout.CHANNELS_LAST),
              values.graph().numbers(0, -1, channels)),
          Layout.CHANNELS_LAST);
      return;
    }
    boolean allowZero = node.attributes().flag("allowzero", false);
    values.add(
        node,
        new Op.Reshape(allowZero),
        List.of(values.plain(node.input(0)), values.plain(node.input(1))),
        Layout.PLAIN);
  }

  /// `[N, C, H, W]` to `[N, C, H * W]`: also a reshape with channels last.
  private boolean mergesPlaces(OnnxNode node) {
    Optional<List<Extent>> result = values.facts(node.output()).extents();
    if (values.home(node.input(0)) != Layout.CHANNELS_LAST || result.isEmpty()) {
      return false;
    }
    List<Extent> in = values.extents(node.input(0));
    List<Extent> out = result.get();
    return in.size() == 4
        && out.size() == 3
        && out.get(0).equals(in.get(0))
        && out.get(1).equals(in.get(1))
        && out.get(1).isKnown()
        && !out.get(1).is(0);
  }

  private void flatten(OnnxNode node) {
    String value = node.input(0);
    List<Extent> in = values.extents(value);
    int axis = Axes.normal((int) node.attributes().integer("axis", 1), in.size());
    boolean onePlace = in.size() > 2 && in.stream().skip(2).allMatch(extent -> extent.is(1));
    Layout layout = axis == 1 && onePlace ? values.home(value) : Layout.PLAIN;
    values.define(
        node.output(),
        Layout.PLAIN,
        values
            .graph()
            .add(
                node.name(),
                new Op.Flatten(axis),
                List.of(values.get(value, layout)),
                node.output()));
  }

  private void squeeze(OnnxNode node) {
    String value = node.input(0);
    List<Extent> in = values.extents(value);
    Optional<List<Integer>> named = Axes.list(node, values.network(), 1, in.size());
    if (named.isEmpty() && !in.stream().allMatch(Extent::isKnown)) {
      throw new ModelImportException("no axes, and a size that is not known");
    }
    List<Integer> axes =
        named.orElseGet(
            () -> IntStream.range(0, in.size()).filter(i -> in.get(i).is(1)).boxed().toList());
    Layout layout = Reductions.afterRemoving(axes, values.home(value), in.size());
    Layout source =
        Reductions.isFree(axes, values.home(value), in.size())
            ? values.home(value)
            : Layout.PLAIN;
    List<Integer> places =
        axes.stream().map(axis -> source.position(axis, in.size())).sorted().toList();
    values.add(
        node, new Op.Squeeze(places), List.of(values.get(value, source)), layout);
  }

  private void unsqueeze(OnnxNode node) {
    String value = node.input(0);
    List<Long> wanted =
        node.attributes()
            .integers("axes")
            .or(() -> values.constant(node.input(1)).map(Tensors::longs))
            .orElseThrow(() -> new ModelImportException("its axes must be constant"));
    int rank = values.rank(value) + wanted.size();
    List<Integer> axes =
        wanted.stream().map(axis -> Axes.normal(axis.intValue(), rank)).sorted().toList();
    boolean amongPlaces = axes.stream().allMatch(axis -> axis >= 2);
    Layout layout = amongPlaces ? values.home(value) : Layout.PLAIN;
    List<Integer> places = axes.stream().map(axis -> layout.position(axis, rank)).sorted().toList();
    values.add(node, new Op.Unsqueeze(places), List.of(values.get(value, layout)), layout);
  }

  private void concat(OnnxNode node) {
    int rank = values.rank(node.input(0));
    int axis = Axes.normal((int) node.attributes().integer("axis", 0), rank);
    Layout layout = values.common(node.inputs(), rank);
    List<String> parts =
        node.inputs().stream().map(value -> values.get(value, layout)).toList();
    values.add(node, new Op.Concat(layout.position(axis, rank)), parts, layout);
  }

  private void split(OnnxNode node) {
    String value = node.input(0);
    List<Extent> in = values.extents(value);
    int axis = Axes.normal((int) node.attributes().integer("axis", 0), in.size());
    if (node.optionalInput(1).isPresent() && !values.isConstant(node.input(1))) {
      throw new ModelImportException("its sizes must be constant");
    }
    List<Long> sizes = Axes.splitSizes(node, values.network(), in.get(axis)).orElse(List.of());
    Layout layout = values.home(value);
    List<String> results =
        values
            .graph()
            .add(
                node.name(),
                new Op.Split(layout.position(axis, in.size()), sizes),
                List.of(values.get(value, layout)),
                node.outputs().stream()
                    .map(output -> Values.resultName(output, layout))
                    .toList());
    for (int i = 0; i < results.size(); i++) {
      values.define(node.outputs().get(i), layout, results.get(i));
    }
  }

  private void slice(OnnxNode node) {
    String value = node.input(0);
    int rank = values.rank(value);
    int count = (int) values.extents(node.input(1)).getFirst().size();
    Optional<List<Long>> axes =
        node.optionalInput(3).isEmpty()
            ? Optional.of(IntStream.range(0, count).mapToObj(Long::valueOf).toList())
            : values.constant(node.input(3)).map(Tensors::longs);
    Layout layout = axes.isPresent() ? values.home(value) : Layout.PLAIN;
    String places =
        axes.map(list -> values.graph().numbers(places(list, layout, rank)))
            .orElseGet(() -> values.plain(node.input(3)));
    String steps =
        node.optionalInput(4)
            .map(values::plain)
            .orElseGet(() -> values.graph().numbers(Collections.nCopies(count, 1L)));
    values.add(
        node,
        new Op.Slice(),
        List.of(
            values.get(value, layout),
            values.plain(node.input(1)),
            values.plain(node.input(2)),
            places,
            steps),
        layout);
  }

  private static List<Long> places(List<Long> axes, Layout layout, int rank) {
    return axes.stream()
        .map(axis -> (long) layout.position(Axes.normal(axis.intValue(), rank), rank))
        .toList();
  }

  private void shape(OnnxNode node) {
    String value = node.input(0);
    int rank = values.rank(value);
    int[] range = Axes.shapeRange(node, rank);
    Layout layout = values.home(value);
    String x = values.get(value, layout);
    List<Long> places = new ArrayList<>();
    for (int axis = range[0]; axis < range[1]; axis++) {
      places.add((long) layout.position(axis, rank));
    }
    boolean whole = layout == Layout.PLAIN && places.size() == rank;
    if (whole) {
      values.add(node, new Op.ShapeOf(), List.of(x), Layout.PLAIN);
      return;
    }
    String dims = values.step(node, new Op.ShapeOf(), x);
    values.add(
        node, new Op.Gather(0), List.of(dims, values.graph().numbers(places)), Layout.PLAIN);
  }

  private void expand(OnnxNode node) {
    values.add(
        node,
        new Op.Expand(),
        List.of(values.plain(node.input(0)), values.plain(node.input(1))),
        Layout.PLAIN);
  }

  private void constantOfShape(OnnxNode node) {
    Optional<Tensor> filling = node.attributes().tensor("value").map(TensorDecoder::decode);
    DataType type = filling.map(Tensor::type).orElse(DataType.FP32);
    double number =
        filling
            .map(
                tensor ->
                    tensor.type() == DataType.FP32
                        ? (double) tensor.toFloats()[0]
                        : tensor.toLongs()[0])
            .orElse(0.0);
    values.add(
        node,
        new Op.ConstantOfShape(type, number),
        List.of(values.plain(node.input(0))),
        Layout.PLAIN);
  }

  private void range(OnnxNode node) {
    List<String> bounds = node.inputs().stream().map(values::plain).toList();
    values.add(node, new Op.Range(), bounds, Layout.PLAIN);
  }
}
