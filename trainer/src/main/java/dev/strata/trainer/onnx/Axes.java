package dev.strata.trainer.onnx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// How ONNX names axes: negative from the end, as an attribute in old opsets, as an input in new
/// ones.
final class Axes {
  private Axes() {}

  static int normal(int axis, int rank) {
    int normal = axis < 0 ? axis + rank : axis;
    if (normal < 0 || normal > rank) {
      throw new ModelImportException(
          "axis: got %d, expected %d to %d".formatted(axis, -rank, rank - 1));
    }
    return normal;
  }

  /// The axes of a node from its attribute or its constant input; empty if it names none.
  static Optional<List<Integer>> list(OnnxNode node, Network network, int input, int rank) {
    return node.attributes()
        .integers("axes")
        .or(() -> node.optionalInput(input).map(value -> constant(node, network, value)))
        .map(axes -> axes.stream().map(axis -> normal(axis.intValue(), rank)).toList());
  }

  private static List<Long> constant(OnnxNode node, Network network, String value) {
    return network
        .constant(value)
        .map(Tensors::longs)
        .orElseThrow(
            () ->
                new ModelImportException(
                    "node '%s' (%s): its axes must be constant".formatted(node.name(), node.type())));
  }

  /// The axes a reduction takes away, ascending.
  static List<Integer> reduced(OnnxNode node, Network network, int rank) {
    List<Integer> axes = list(node, network, 1, rank).orElse(List.of());
    if (!axes.isEmpty()) {
      return axes.stream().sorted().toList();
    }
    return node.attributes().flag("noop_with_empty_axes", false) ? List.of() : all(rank);
  }

  static List<Integer> all(int rank) {
    return IntStream.range(0, rank).boxed().toList();
  }

  static List<Integer> permutation(OnnxNode node, int rank) {
    return node.attributes()
        .integers("perm")
        .map(perm -> perm.stream().map(Long::intValue).toList())
        .orElseGet(() -> all(rank).reversed());
  }

  /// `[from, to)` of the dimensions that a Shape node yields.
  static int[] shapeRange(OnnxNode node, int rank) {
    long start = node.attributes().integer("start", 0);
    long end = node.attributes().integer("end", rank);
    int from = Math.clamp(start < 0 ? start + rank : start, 0, rank);
    int to = Math.clamp(end < 0 ? end + rank : end, from, rank);
    return new int[] {from, to};
  }

  /// @return first index, end (exclusive) and number of indices of a slice
  static long[] sliceRange(long size, long start, long end, long step) {
    long from = start < 0 ? start + size : start;
    long to = end < 0 ? end + size : end;
    if (step > 0) {
      from = Math.clamp(from, 0, size);
      to = Math.clamp(to, 0, size);
    } else {
      from = Math.clamp(from, 0, size - 1);
      to = Math.clamp(to, -1, size - 1);
    }
    long count = Math.max(0, Math.ceilDiv(to - from, step));
    return new long[] {from, to, count};
  }

  /// `list` with `item` at each of the axes, which count in the result.
  static <T> List<T> insert(List<T> list, List<Long> axes, T item) {
    int rank = list.size() + axes.size();
    List<T> result = new ArrayList<>(Collections.nCopies(rank, item));
    int[] inserted = axes.stream().mapToInt(axis -> normal(axis.intValue(), rank)).sorted().toArray();
    int from = 0;
    for (int axis = 0; axis < rank; axis++) {
      if (Arrays.binarySearch(inserted, axis) < 0) {
        result.set(axis, list.get(from++));
      }
    }
    return result;
  }

  /// Sizes of a Split node's parts; empty for equal parts.
  static Optional<List<Long>> splitSizes(OnnxNode node, Network network, Extent axis) {
    Optional<List<Long>> sizes =
        node.attributes()
            .integers("split")
            .or(() -> node.optionalInput(1).flatMap(network::constant).map(Tensors::longs));
    if (sizes.isPresent() || !axis.isKnown()) {
      return sizes;
    }
    long count = node.outputs().size();
    long part = Math.ceilDiv(axis.size(), count);
    return Optional.of(
        IntStream.range(0, (int) count)
            .mapToObj(i -> Math.max(0, Math.min(part, axis.size() - i * part)))
            .toList());
  }
}
