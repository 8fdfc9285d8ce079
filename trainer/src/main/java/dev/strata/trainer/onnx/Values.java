package dev.strata.trainer.onnx;

import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// Where each ONNX value is in the model graph: under which name, in which layout. A value asked for
/// in a layout it does not have yet is transposed once.
final class Values {
  private final Network network;
  private final Map<String, ValueFacts> facts;
  private final GraphBuilder graph;
  private final Map<String, Layout> home = new HashMap<>();
  private final Map<String, Map<Layout, String>> names = new HashMap<>();
  private final Map<String, List<Extent>> extents = new HashMap<>();

  Values(Network network, Map<String, ValueFacts> facts, GraphBuilder graph) {
    this.network = network;
    this.facts = facts;
    this.graph = graph;
  }

  Network network() {
    return network;
  }

  GraphBuilder graph() {
    return graph;
  }

  ValueFacts facts(String value) {
    return facts.getOrDefault(
        value, ValueFacts.unshaped(ValueFacts.ElementType.REAL));
  }

  /// @throws ModelImportException if not even the number of dimensions is known
  List<Extent> extents(String value) {
    return facts(value)
        .extents()
        .orElseThrow(
            () ->
                new ModelImportException(
                    "the number of dimensions of value '%s' is not known".formatted(value)));
  }

  int rank(String value) {
    return extents(value).size();
  }

  Optional<Tensor> constant(String value) {
    return network.constant(value);
  }

  boolean isConstant(String value) {
    return constant(value).isPresent();
  }

  /// The layout in which a value was made.
  Layout home(String value) {
    return home.getOrDefault(value, Layout.PLAIN);
  }

  /// Says where a value is. The first time decides its home.
  void define(String value, Layout layout, String name) {
    home.putIfAbsent(value, layout);
    names.computeIfAbsent(value, absent -> new EnumMap<>(Layout.class)).put(layout, name);
    facts(value)
        .extents()
        .ifPresent(
            plain ->
                extents.put(name, layout.order(plain.size()).stream().map(plain::get).toList()));
  }

  /// Dimensions, in memory's order, of the model graph's values that are known.
  Map<String, List<Extent>> memoryExtents() {
    return extents;
  }

  /// The name a new result should have.
  static String resultName(String value, Layout layout) {
    return layout == Layout.PLAIN ? value : value + "@nhwc";
  }

  /// Adds an operator whose result is an ONNX value.
  void add(OnnxNode origin, Op op, List<String> inputs, Layout layout) {
    add(origin, op, inputs, layout, origin.output());
  }

  void add(OnnxNode origin, Op op, List<String> inputs, Layout layout, String value) {
    define(value, layout, graph.add(origin.name(), op, inputs, resultName(value, layout)));
  }

  /// Adds an operator for an intermediate value.
  String step(OnnxNode origin, Op op, String... inputs) {
    return graph.add(origin.name(), op, List.of(inputs), origin.output() + "@step");
  }

  String plain(String value) {
    return get(value, Layout.PLAIN);
  }

  String get(String value, Layout layout) {
    Map<Layout, String> known =
        names.computeIfAbsent(value, absent -> new EnumMap<>(Layout.class));
    String name = known.get(layout);
    if (name != null) {
      return name;
    }
    Optional<Tensor> constant = constant(value);
    if (constant.isPresent()) {
      Tensor tensor =
          layout == Layout.PLAIN
              ? constant.get()
              : Tensors.transpose(constant.get(), layout.order(constant.get().shape().rank()));
      name = graph.constant(resultName(value, layout), tensor);
      known.put(layout, name);
      return name;
    }
    if (known.isEmpty()) {
      throw new ModelImportException("value '%s' is never computed".formatted(value));
    }
    define(value, layout, convert(value, known.get(home(value)), home(value), layout));
    return names.get(value).get(layout);
  }

  private String convert(String value, String name, Layout from, Layout to) {
    List<Extent> plain = extents(value);
    int rank = plain.size();
    List<Integer> order = to.order(rank);
    String result = resultName(value, to);
    if (keepsOrder(plain)) {
      List<Extent> wanted = order.stream().map(plain::get).toList();
      if (wanted.stream().skip(1).filter(extent -> !extent.isKnown()).count() <= 1) {
        List<Long> dims = new ArrayList<>();
        dims.add(0L);
        wanted.stream().skip(1).forEach(e -> dims.add(e.isKnown() ? e.size() : -1L));
        return graph.add(
            value + "@layout",
            new Op.Reshape(false),
            List.of(name, graph.numbers(dims)),
            result);
      }
    }
    List<Integer> permutation =
        order.stream().map(axis -> from.position(axis, rank)).toList();
    return graph.transpose(value + "@layout", name, permutation, result);
  }

  /// Whether both layouts have the same order of elements: one channel or one place. Sizes of zero
  /// would need more care and keep the transpose.
  private static boolean keepsOrder(List<Extent> plain) {
    boolean onePlace = plain.stream().skip(2).allMatch(extent -> extent.is(1));
    boolean nonZero = plain.stream().skip(1).noneMatch(extent -> extent.is(0));
    return nonZero && (plain.get(1).is(1) || onePlace);
  }

  /// An operand of an elementwise operator whose result has `rank` dimensions in `layout`.
  String operand(OnnxNode origin, String value, int rank, Layout layout) {
    int own = rank(value);
    if (layout == Layout.PLAIN || (own == rank && !isConstant(value))) {
      return get(value, layout);
    }
    Optional<Tensor> constant = constant(value);
    if (constant.isPresent()) {
      return constantOperand(value, constant.get(), rank, layout);
    }
    if (extents(value).stream().allMatch(extent -> extent.is(1))) {
      return plain(value);
    }
    List<Integer> front = IntStream.range(0, rank - own).boxed().toList();
    String extended = step(origin, new Op.Unsqueeze(front), plain(value));
    return graph.transpose(
        origin.name(), extended, layout.order(rank), value + "@operand");
  }

  private String constantOperand(String value, Tensor constant, int rank, Layout layout) {
    if (constant.shape().elements() == 1) {
      return plain(value);
    }
    Tensor moved = Tensors.transpose(Tensors.extendTo(constant, rank), layout.order(rank));
    long[] dims = moved.shape().toArray();
    int leading = (int) LongStream.of(dims).takeWhile(dim -> dim == 1).count();
    Shape trimmed = Shape.of(LongStream.of(dims).skip(leading).toArray());
    return graph.constant(value + "@nhwc", Tensors.reshape(moved, trimmed));
  }

  /// Channels last if one of the values that have all dimensions of the result is so.
  Layout common(List<String> values, int rank) {
    boolean anyLast =
        values.stream()
            .anyMatch(value -> home(value) == Layout.CHANNELS_LAST && rank(value) == rank);
    return anyLast ? Layout.CHANNELS_LAST : Layout.PLAIN;
  }
}
