package dev.strata.trainer.onnx;

import dev.strata.graph.DataType;
import dev.strata.graph.Tensor;
import dev.strata.trainer.onnx.ValueFacts.ElementType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// [FactInference] for operators that move, choose or repeat elements: their results' dimensions
/// often come from the numbers in other values.
///
/// @param facts what is known so far; grows while the network is gone through
record MovementFacts(Network network, Map<String, ValueFacts> facts) {

  ValueFacts constantOfShape(OnnxNode node, ValueFacts shape) {
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

  static List<Extent> unknown(OnnxNode node, int rank) {
    return IntStream.range(0, rank)
        .mapToObj(axis -> Extent.unknown(node.output() + "#" + axis))
        .toList();
  }

  ValueFacts range(OnnxNode node, ValueFacts start) {
    boolean countsFromZero =
        network.isScalar(node.input(0), 0) && network.isScalar(node.input(2), 1);
    Extent length =
        countsFromZero
            ? elements(node, 1).map(List::getFirst).orElse(unknown(node, 1).getFirst())
            : unknown(node, 1).getFirst();
    return ValueFacts.of(start.type(), List.of(length));
  }

  ValueFacts concat(OnnxNode node, ValueFacts first) {
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

  List<ValueFacts> split(OnnxNode node, ValueFacts x, List<Extent> in) {
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

  ValueFacts slice(OnnxNode node, ValueFacts x, List<Extent> in) {
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

  ValueFacts gather(OnnxNode node, ValueFacts x, List<Extent> in) {
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

  ValueFacts reshape(OnnxNode node, ValueFacts x, List<Extent> in) {
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

  ValueFacts squeeze(OnnxNode node, ValueFacts x, List<Extent> in) {
    Optional<List<Integer>> axes = Axes.list(node, network, 1, in.size());
    List<Integer> gone =
        axes.orElseGet(
            () -> IntStream.range(0, in.size()).filter(i -> in.get(i).is(1)).boxed().toList());
    return ValueFacts.of(
        x.type(),
        IntStream.range(0, in.size()).filter(i -> !gone.contains(i)).mapToObj(in::get).toList());
  }

  ValueFacts unsqueeze(OnnxNode node, ValueFacts x, List<Extent> in) {
    Optional<List<Long>> axes = node.attributes().integers("axes").or(() -> constant(node, 1));
    if (axes.isEmpty()) {
      return ValueFacts.unshaped(x.type());
    }
    return ValueFacts.of(x.type(), Axes.insert(in, axes.get(), Extent.ONE));
  }

  ValueFacts expand(OnnxNode node, ValueFacts x, List<Extent> in) {
    Optional<List<Extent>> wanted = elements(node, 1).or(() -> anonymous(node, input(node, 1)));
    return wanted
        .map(shape -> ValueFacts.of(x.type(), FactInference.broadcast(in, shape)))
        .orElse(ValueFacts.unshaped(x.type()));
  }

  ValueFacts pad(OnnxNode node, ValueFacts x, List<Extent> in) {
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

  ValueFacts resize(OnnxNode node, ValueFacts x, List<Extent> in) {
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
}
