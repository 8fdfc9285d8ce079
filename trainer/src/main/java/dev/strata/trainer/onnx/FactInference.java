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
  private final MovementFacts movements;

  private FactInference(Network network) {
    this.network = network;
    movements = new MovementFacts(network, facts);
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
      return List.of(movements.constantOfShape(node, x));
    }
    if (node.is("Range")) {
      return List.of(movements.range(node, x));
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
      case "Concat" -> List.of(movements.concat(node, x).withElements(arithmetic.concat()));
      case "Split" -> movements.split(node, x, in);
      case "Slice" -> List.of(movements.slice(node, x, in).withElements(arithmetic.slice()));
      case "Gather" -> List.of(movements.gather(node, x, in).withElements(arithmetic.gather()));
      case "Reshape" -> List.of(movements.reshape(node, x, in).withElements(x.elements()));
      case "Squeeze" -> List.of(movements.squeeze(node, x, in).withElements(x.elements()));
      case "Unsqueeze" -> List.of(movements.unsqueeze(node, x, in).withElements(x.elements()));
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
              ValueFacts.of(
                  x.type(), Axes.permutation(node, in.size()).stream().map(in::get).toList()));
      case "ReduceMean", "ReduceSum", "ReduceMax" -> List.of(reduce(node, x, in));
      case "Shape" -> {
        int[] range = Axes.shapeRange(node, in.size());
        List<Extent> part = in.subList(range[0], range[1]);
        yield List.of(
            ValueFacts.of(ElementType.WHOLE, List.of(Extent.of(part.size())))
                .withElements(Optional.of(List.copyOf(part))));
      }
      case "Expand" -> List.of(movements.expand(node, x, in));
      case "Pad" -> List.of(movements.pad(node, x, in));
      case "Resize" -> List.of(movements.resize(node, x, in));
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

  static List<Extent> broadcast(List<Extent> a, List<Extent> b) {
    int rank = Math.max(a.size(), b.size());
    return IntStream.range(0, rank)
        .mapToObj(axis -> fromEnd(a, rank - axis).broadcast(fromEnd(b, rank - axis)))
        .toList();
  }

  private static Extent fromEnd(List<Extent> extents, int place) {
    return place <= extents.size() ? extents.get(extents.size() - place) : Extent.ONE;
  }

  private static List<ValueFacts> layerNormalization(OnnxNode node, ValueFacts x, List<Extent> in) {
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
      List<Extent> weight = extents(node, 1).orElse(MovementFacts.unknown(node, in.size()));
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
}
