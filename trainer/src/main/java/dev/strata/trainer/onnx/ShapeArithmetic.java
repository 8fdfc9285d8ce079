package dev.strata.trainer.onnx;

import dev.strata.trainer.onnx.ValueFacts.ElementType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// Follows the numbers of shape vectors through one node: what exporters compute with Shape, Gather,
/// Concat and a little arithmetic before a Reshape.
///
/// @param facts of the node's inputs
record ShapeArithmetic(Network network, OnnxNode node, Map<String, ValueFacts> facts) {

  Optional<List<Extent>> binary() {
    Optional<List<Extent>> left = elements(0);
    Optional<List<Extent>> right = elements(1);
    if (node.inputs().size() != 2 || left.isEmpty() || right.isEmpty()) {
      return Optional.empty();
    }
    List<Extent> a = left.get();
    List<Extent> b = right.get();
    int count = Math.max(a.size(), b.size());
    if (Math.min(a.size(), b.size()) != 1 && a.size() != b.size()) {
      return Optional.empty();
    }
    List<Extent> result = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Optional<Extent> element = binary(a.get(i % a.size()), b.get(i % b.size()));
      if (element.isEmpty()) {
        return Optional.empty();
      }
      result.add(element.get());
    }
    return Optional.of(result);
  }

  private Optional<Extent> binary(Extent a, Extent b) {
    boolean known = a.isKnown() && b.isKnown();
    return switch (node.type()) {
      case "Add" -> Optional.of(a.plus(b));
      case "Mul" -> Optional.of(a.times(b));
      case "Sub" ->
          b.isKnown() ? Optional.of(a.plus(Extent.of(-b.size()))) : Optional.<Extent>empty();
      case "Div" ->
          known && b.size() != 0
              ? Optional.of(Extent.of(a.size() / b.size()))
              : Optional.of(a.dividedBy(b));
      case "Min" -> known ? Optional.of(Extent.of(Math.min(a.size(), b.size()))) : Optional.empty();
      case "Max" -> known ? Optional.of(Extent.of(Math.max(a.size(), b.size()))) : Optional.empty();
      default -> Optional.empty();
    };
  }

  Optional<List<Extent>> concat() {
    List<Extent> all = new ArrayList<>();
    for (int i = 0; i < node.inputs().size(); i++) {
      Optional<List<Extent>> next = elements(i);
      if (next.isEmpty() || rank(i) != 1) {
        return Optional.empty();
      }
      all.addAll(next.get());
    }
    return Optional.of(all);
  }

  Optional<List<Extent>> gather() {
    Optional<List<Extent>> from = elements(0);
    Optional<List<Extent>> indices = elements(1);
    if (from.isEmpty() || indices.isEmpty() || rank(0) != 1) {
      return Optional.empty();
    }
    List<Extent> result = new ArrayList<>();
    for (Extent index : indices.get()) {
      if (!index.isKnown()) {
        return Optional.empty();
      }
      result.add(from.get().get(Axes.normal((int) index.size(), from.get().size())));
    }
    return Optional.of(result);
  }

  Optional<List<Extent>> slice() {
    Optional<List<Extent>> from = elements(0);
    if (from.isEmpty() || rank(0) != 1) {
      return Optional.empty();
    }
    Optional<Long> start = number(1);
    Optional<Long> end = number(2);
    Optional<Long> step = node.optionalInput(4).isPresent() ? number(4) : Optional.of(1L);
    if (start.isEmpty() || end.isEmpty() || step.isEmpty()) {
      return Optional.empty();
    }
    long[] range = Axes.sliceRange(from.get().size(), start.get(), end.get(), step.get());
    return Optional.of(
        IntStream.range(0, (int) range[2])
            .mapToObj(i -> from.get().get((int) (range[0] + i * step.get())))
            .toList());
  }

  private Optional<Long> number(int input) {
    return elements(input)
        .filter(list -> list.size() == 1 && list.getFirst().isKnown())
        .map(list -> list.getFirst().size());
  }

  private Optional<List<Extent>> elements(int input) {
    return node.optionalInput(input)
        .map(facts::get)
        .filter(found -> found.type() != ElementType.REAL)
        .flatMap(ValueFacts::elements);
  }

  private int rank(int input) {
    return facts.get(node.input(input)).extents().map(List::size).orElse(-1);
  }
}
