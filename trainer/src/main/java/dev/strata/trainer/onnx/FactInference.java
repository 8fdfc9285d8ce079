package dev.strata.trainer.onnx;

import dev.strata.graph.DataType;
import dev.strata.graph.Tensor;
import dev.strata.trainer.onnx.ValueFacts.ElementType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// Types, dimensions and shape-dependent numbers of every value, as far as they follow from the
/// inputs' dimensions. Unknown dimensions keep their names through the network.
final class FactInference {
  private final Network network;
  private final Map<String, ValueFacts> facts = new HashMap<>();

  private FactInference(Network network) {
    this.network = network;
  }

  static Map<String, ValueFacts> infer(Network network) {
    return new FactInference(network).run();
  }

  static ValueFacts of(Tensor tensor) {
    boolean isSmall = tensor.type() == DataType.INT64 && tensor.shape().elements() <= 64;
    return new ValueFacts(
        tensor.type() == DataType.FP32 ? ElementType.REAL : ElementType.WHOLE,
        Optional.of(Extent.list(tensor.shape().dims())),
        isSmall ? Optional.of(Extent.list(Tensors.longs(tensor))) : Optional.empty());
  }

  private Map<String, ValueFacts> run() {
    facts.putAll(network.inputs());
    network.constants().forEach((name, tensor) -> facts.put(name, of(tensor)));
    network.nodes().forEach(this::visit);
    return facts;
  }

  private void visit(OnnxNode node) {
    List<ValueFacts> results = results(node);
    for (int i = 0; i < node.outputs().size(); i++) {
      if (!node.outputs().get(i).isEmpty()) {
        facts.put(
            node.outputs().get(i),
            i < results.size() ? results.get(i) : ValueFacts.unshaped(ElementType.REAL));
      }
    }
  }

  private List<ValueFacts> results(OnnxNode node) {
    if (node.inputs().isEmpty()) {
      return List.of();
    }
    ValueFacts x = input(node, 0);
    if (node.is("ConstantOfShape")) {
      return List.of(constantOfShape(node, x));
    }
    if (node.is("Range")) {
      return List.of(range(node, x));
    }
    if (x.extents().isEmpty()) {
      return List.of(ValueFacts.unshaped(x.type()));
    }
    List<Extent> in = x.extents().get();
    ShapeArithmetic arithmetic = new ShapeArithmetic(network, node, facts);
    return switch (node.type()) {
      case "Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Sum", "Mod" ->
          List.of(broadcast(node, x.type()).withElements(arithmetic.binary()));
      case "Equal" -> List.of(broadcast(node, ElementType.TRUTH));
      case "Where" -> List.of(broadcast(node, input(node, 1).type()));
      case "Identity", "Dropout" -> List.of(x);
      case "Cast" ->
          List.of(
              new ValueFacts(
                  TensorDecoder.elementType(
                      (int) node.attributes().integer("to", 0), "node '" + node.name() + "'"),
                  x.extents(),
                  x.elements()));
      case "LayerNormalization" -> layerNormalization(node, x, in);
      case "Conv", "MaxPool", "AveragePool" -> List.of(window(node, in));
      case "GlobalAveragePool", "GlobalMaxPool" -> {
        List<Extent> out = new ArrayList<>(in.subList(0, Math.min(2, in.size())));
        out.addAll(Collections.nCopies(in.size() - out.size(), Extent.ONE));
        yield List.of(ValueFacts.of(x.type(), out));
      }
      case OnnxNode.FULLY_CONNECTED -> {
        List<Extent> out = new ArrayList<>(in);
        out.set(in.size() - 1, extents(node, 1).map(List::getFirst).orElseThrow());
        yield List.of(ValueFacts.of(x.type(), out));
      }
      case "Gemm" -> List.of(gemm(node, in));
      case "MatMul" -> List.of(matMul(node, in));
      case "Concat" -> List.of(concat(node, x).withElements(arithmetic.concat()));
      case "Split" -> split(node, x, in);
      case "Slice" -> List.of(slice(node, x, in).withElements(arithmetic.slice()));
      case "Gather" -> List.of(gather(node, x, in).withElements(arithmetic.gather()));
      case "Reshape" -> List.of(reshape(node, x, in).withElements(x.elements()));
      case "Squeeze" -> List.of(squeeze(node, x, in).withElements(x.elements()));
      case "Unsqueeze" -> List.of(unsqueeze(node, x, in).withElements(x.elements()));
      case "Flatten" -> {
        int axis = Axes.normal((int) node.attributes().integer("axis", 1), in.size());
        yield List.of(
            ValueFacts.of(
                x.type(),
                List.of(
                    Extent.product(in.subList(0, axis)),
                    Extent.product(in.subList(axis, in.size())))));
      }
      case "Transpose" ->
          List.of(
              ValueFacts.of(x.type(), Axes.permutation(node, in.size()).stream().map(in::get).toList()));
      case "ReduceMean", "ReduceSum", "ReduceMax" -> List.of(reduce(node, x, in));
      case "Shape" -> {
        int[] range = Axes.shapeRange(node, in.size());
        List<Extent> part = in.subList(range[0], range[1]);
        yield List.of(
            ValueFacts.of(ElementType.WHOLE, List.of(Extent.of(part.size())))
                .withElements(Optional.of(List.copyOf(part))));
      }
      case "Expand" -> List.of(expand(node, x, in));
      case "Pad" -> List.of(pad(node, x, in));
      case "Resize" -> List.of(resize(node, x, in));
      default -> List.of(ValueFacts.of(x.type(), in));
    };
  }

  private ValueFacts input(OnnxNode node, int index) {
    return node.optionalInput(index)
        .map(name -> facts.getOrDefault(name, ValueFacts.unshaped(ElementType.REAL)))
        .orElse(ValueFacts.unshaped(ElementType.REAL));
  }

  private Optional<List<Extent>> extents(OnnxNode node, int index) {
    return input(node, index).extents();
  }

  private Optional<List<Extent>> elements(OnnxNode node, int index) {
    return input(node, index).elements();
  }

  private Optional<List<Long>> constant(OnnxNode node, int index) {
    return node.optionalInput(index).flatMap(network::constant).map(Tensors::longs);
  }

  private ValueFacts broadcast(OnnxNode node, ElementType type) {
    List<Extent> result = List.of();
    for (int i = 0; i < node.inputs().size(); i++) {
      Optional<List<Extent>> next = extents(node, i);
      if (next.isEmpty()) {
        return ValueFacts.unshaped(type);
      }
      result = broadcast(result, next.get());
    }
    return ValueFacts.of(type, result);
  }

  private static List<Extent> broadcast(List<Extent> a, List<Extent> b) {
    int rank = Math.max(a.size(), b.size());
    return IntStream.range(0, rank)
        .mapToObj(axis -> fromEnd(a, rank - axis).broadcast(fromEnd(b, rank - axis)))
        .toList();
  }

  private static Extent fromEnd(List<Extent> extents, int place) {
    return place <= extents.size() ? extents.get(extents.size() - place) : Extent.ONE;
  }

  private ValueFacts constantOfShape(OnnxNode node, ValueFacts shape) {
    Optional<Tensor> value = node.attributes().tensor("value").map(TensorDecoder::decode);
    ElementType type =
        value.isEmpty() || value.get().type() == DataType.FP32
            ? ElementType.REAL
            : ElementType.WHOLE;
    Optional<List<Extent>> extents = shape.elements().or(() -> anonymous(node, shape));
    return new ValueFacts(type, extents, Optional.empty());
  }

  /// As many unknown dimensions as a shape vector has elements.
  private static Optional<List<Extent>> anonymous(OnnxNode node, ValueFacts shape) {
    return shape
        .extents()
        .filter(extents -> extents.size() == 1 && extents.getFirst().isKnown())
        .map(extents -> unknown(node, (int) extents.getFirst().size()));
  }

  private static List<Extent> unknown(OnnxNode node, int rank) {
    return IntStream.range(0, rank)
        .mapToObj(axis -> Extent.unknown(node.output() + "#" + axis))
        .toList();
  }

  private ValueFacts range(OnnxNode node, ValueFacts start) {
    boolean countsFromZero =
        network.isScalar(node.input(0), 0) && network.isScalar(node.input(2), 1);
    Extent length =
        countsFromZero
            ? elements(node, 1).map(List::getFirst).orElse(unknown(node, 1).getFirst())
            : unknown(node, 1).getFirst();
    return ValueFacts.of(start.type(), List.of(length));
  }

  private static List<ValueFacts> layerNormalization(
      OnnxNode node, ValueFacts x, List<Extent> in) {
    int axis = Axes.normal((int) node.attributes().integer("axis", -1), in.size());
    List<Extent> statistics = new ArrayList<>(in.subList(0, axis));
    statistics.addAll(Collections.nCopies(in.size() - axis, Extent.ONE));
    ValueFacts statistic = ValueFacts.of(x.type(), statistics);
    return List.of(x, statistic, statistic);
  }

  private ValueFacts window(OnnxNode node, List<Extent> in) {
    List<Extent> out = new ArrayList<>(in.subList(0, Math.min(2, in.size())));
    List<Long> kernel = node.attributes().integers("kernel_shape", List.of());
    if (node.is("Conv")) {
      List<Extent> weight = extents(node, 1).orElse(unknown(node, in.size()));
      out.set(1, weight.getFirst());
      if (kernel.isEmpty() && weight.stream().skip(2).allMatch(Extent::isKnown)) {
        kernel = weight.stream().skip(2).map(Extent::size).toList();
      }
    }
    for (int i = 0; i < in.size() - 2; i++) {
      Extent size = in.get(i + 2);
      out.add(
          i < kernel.size()
              ? new SlidingAxis(node.attributes(), i, in.size() - 2, kernel.get(i)).output(size)
              : Extent.unknown(node.output() + "#" + i));
    }
    return ValueFacts.of(ElementType.REAL, out);
  }

  private ValueFacts gemm(OnnxNode node, List<Extent> a) {
    Extent rows = a.get(node.attributes().flag("transA", false) ? 1 : 0);
    Extent columns =
        extents(node, 1)
            .map(b -> b.get(node.attributes().flag("transB", false) ? 0 : 1))
            .orElse(Extent.unknown(node.output() + "#1"));
    return ValueFacts.of(ElementType.REAL, List.of(rows, columns));
  }

  private ValueFacts matMul(OnnxNode node, List<Extent> a) {
    Optional<List<Extent>> second = extents(node, 1);
    if (second.isEmpty() || a.isEmpty() || second.get().isEmpty()) {
      return ValueFacts.unshaped(ElementType.REAL);
    }
    List<Extent> b = second.get();
    List<Extent> out =
        new ArrayList<>(
            broadcast(
                a.subList(0, Math.max(0, a.size() - 2)), b.subList(0, Math.max(0, b.size() - 2))));
    if (a.size() > 1) {
      out.add(a.get(a.size() - 2));
    }
    if (b.size() > 1) {
      out.add(b.getLast());
    }
    return ValueFacts.of(ElementType.REAL, out);
  }

  private ValueFacts concat(OnnxNode node, ValueFacts first) {
    List<Extent> out = new ArrayList<>(first.extents().orElseThrow());
    int axis = Axes.normal((int) node.attributes().integer("axis", 0), out.size());
    for (int i = 1; i < node.inputs().size(); i++) {
      Optional<List<Extent>> next = extents(node, i);
      if (next.isEmpty()) {
        return ValueFacts.of(first.type(), unknown(node, out.size()));
      }
      for (int at = 0; at < out.size(); at++) {
        Extent more = next.get().get(at);
        out.set(at, at == axis ? out.get(at).plus(more) : more.isKnown() ? more : out.get(at));
      }
    }
    return ValueFacts.of(first.type(), out);
  }

  private List<ValueFacts> split(OnnxNode node, ValueFacts x, List<Extent> in) {
    int axis = Axes.normal((int) node.attributes().integer("axis", 0), in.size());
    Optional<List<Long>> sizes = Axes.splitSizes(node, network, in.get(axis));
    List<ValueFacts> results = new ArrayList<>();
    for (int i = 0; i < node.outputs().size(); i++) {
      List<Extent> out = new ArrayList<>(in);
      out.set(
          axis,
          sizes.isPresent()
              ? Extent.of(sizes.get().get(i))
              : in.get(axis).dividedBy(Extent.of(node.outputs().size())));
      results.add(ValueFacts.of(x.type(), out));
    }
    return results;
  }

  private ValueFacts slice(OnnxNode node, ValueFacts x, List<Extent> in) {
    List<Extent> out = new ArrayList<>(in);
    Optional<List<Extent>> starts = elements(node, 1);
    Optional<List<Extent>> ends = elements(node, 2);
    Optional<List<Long>> axes =
        node.optionalInput(3).isPresent()
            ? constant(node, 3)
            : starts.map(list -> IntStream.range(0, list.size()).mapToObj(Long::valueOf).toList());
    if (starts.isEmpty() || ends.isEmpty() || axes.isEmpty()) {
      return ValueFacts.of(x.type(), unknown(node, in.size()));
    }
    Optional<List<Long>> steps =
        node.optionalInput(4).isPresent()
            ? constant(node, 4)
            : Optional.of(Collections.nCopies(axes.get().size(), 1L));
    for (int i = 0; i < axes.get().size(); i++) {
      int axis = Axes.normal(axes.get().get(i).intValue(), in.size());
      Extent unknown = Extent.unknown(node.output() + "#" + axis);
      int at = i;
      out.set(
          axis,
          steps
              .map(s -> sliced(in.get(axis), starts.get().get(at), ends.get().get(at), s.get(at)))
              .orElse(Optional.empty())
              .orElse(unknown));
    }
    return ValueFacts.of(x.type(), out);
  }

  private static Optional<Extent> sliced(Extent size, Extent start, Extent end, long step) {
    boolean wholeAxis = start.is(0) && step == 1;
    if (wholeAxis && (end.equals(size) || (end.isKnown() && end.size() >= Integer.MAX_VALUE))) {
      return Optional.of(size);
    }
    if (wholeAxis && size.isKnown() && !end.isKnown()) {
      return Optional.of(end);
    }
    if (!size.isKnown() || !start.isKnown() || !end.isKnown()) {
      return Optional.empty();
    }
    long[] range = Axes.sliceRange(size.size(), start.size(), end.size(), step);
    return Optional.of(Extent.of(range[2]));
  }

  private ValueFacts gather(OnnxNode node, ValueFacts x, List<Extent> in) {
    Optional<List<Extent>> indices = extents(node, 1);
    if (indices.isEmpty()) {
      return ValueFacts.unshaped(x.type());
    }
    int axis = Axes.normal((int) node.attributes().integer("axis", 0), in.size());
    List<Extent> out = new ArrayList<>(in.subList(0, axis));
    out.addAll(indices.get());
    out.addAll(in.subList(axis + 1, in.size()));
    return ValueFacts.of(x.type(), out);
  }

  private ValueFacts reshape(OnnxNode node, ValueFacts x, List<Extent> in) {
    Optional<List<Extent>> wanted = elements(node, 1);
    if (wanted.isEmpty()) {
      return new ValueFacts(x.type(), anonymous(node, input(node, 1)), Optional.empty());
    }
    boolean allowZero = node.attributes().flag("allowzero", false);
    List<Extent> out = new ArrayList<>(wanted.get());
    for (int axis = 0; axis < out.size(); axis++) {
      if (out.get(axis).is(0) && !allowZero && axis < in.size()) {
        out.set(axis, in.get(axis));
      }
    }
    int inferred = out.indexOf(Extent.of(-1));
    if (inferred >= 0) {
      out.set(inferred, Extent.ONE);
      out.set(inferred, Extent.product(in).dividedBy(Extent.product(out)));
    }
    return ValueFacts.of(x.type(), out);
  }

  private ValueFacts squeeze(OnnxNode node, ValueFacts x, List<Extent> in) {
    Optional<List<Integer>> axes = Axes.list(node, network, 1, in.size());
    List<Integer> gone =
        axes.orElseGet(
            () -> IntStream.range(0, in.size()).filter(i -> in.get(i).is(1)).boxed().toList());
    return ValueFacts.of(
        x.type(),
        IntStream.range(0, in.size()).filter(i -> !gone.contains(i)).mapToObj(in::get).toList());
  }

  private ValueFacts unsqueeze(OnnxNode node, ValueFacts x, List<Extent> in) {
    Optional<List<Long>> axes = node.attributes().integers("axes").or(() -> constant(node, 1));
    if (axes.isEmpty()) {
      return ValueFacts.unshaped(x.type());
    }
    return ValueFacts.of(x.type(), Axes.insert(in, axes.get(), Extent.ONE));
  }

  private ValueFacts reduce(OnnxNode node, ValueFacts x, List<Extent> in) {
    List<Integer> axes = Axes.reduced(node, network, in.size());
    boolean keep = node.attributes().flag("keepdims", true);
    List<Extent> out = new ArrayList<>();
    for (int axis = 0; axis < in.size(); axis++) {
      if (!axes.contains(axis)) {
        out.add(in.get(axis));
      } else if (keep) {
        out.add(Extent.ONE);
      }
    }
    return ValueFacts.of(x.type(), out);
  }

  private ValueFacts expand(OnnxNode node, ValueFacts x, List<Extent> in) {
    Optional<List<Extent>> wanted =
        elements(node, 1).or(() -> anonymous(node, input(node, 1)));
    return wanted
        .map(shape -> ValueFacts.of(x.type(), broadcast(in, shape)))
        .orElse(ValueFacts.unshaped(x.type()));
  }

  private ValueFacts pad(OnnxNode node, ValueFacts x, List<Extent> in) {
    Optional<List<Extent>> pads = elements(node, 1);
    if (pads.isEmpty() || node.optionalInput(3).isPresent()) {
      return ValueFacts.of(x.type(), unknown(node, in.size()));
    }
    List<Extent> out = new ArrayList<>();
    for (int axis = 0; axis < in.size(); axis++) {
      out.add(in.get(axis).plus(pads.get().get(axis)).plus(pads.get().get(axis + in.size())));
    }
    return ValueFacts.of(x.type(), out);
  }

  private ValueFacts resize(OnnxNode node, ValueFacts x, List<Extent> in) {
    Optional<List<Extent>> sizes = elements(node, 3).filter(list -> list.size() == in.size());
    if (sizes.isPresent()) {
      return ValueFacts.of(x.type(), sizes.get());
    }
    Optional<float[]> scales =
        node.optionalInput(2)
            .flatMap(network::constant)
            .map(Tensor::toFloats)
            .filter(list -> list.length == in.size());
    List<Extent> out = new ArrayList<>();
    for (int axis = 0; axis < in.size(); axis++) {
      Extent size = in.get(axis);
      Extent unknown = Extent.unknown(node.output() + "#" + axis);
      out.add(
          scales.isEmpty()
              ? unknown
              : scales.get()[axis] == 1
                  ? size
                  : size.isKnown()
                      ? Extent.of((long) Math.floor(size.size() * (double) scales.get()[axis]))
                      : unknown);
    }
    return ValueFacts.of(x.type(), out);
  }
}
