package dev.strata.graph;

import java.util.List;
import java.util.stream.IntStream;

/// Axis numbers as operators name them: negative ones count from the end.
public final class Axes {
  private Axes() {}

  /// @return the axis as 0 to rank - 1
  public static int index(int axis, int rank) {
    int index = axis < 0 ? axis + rank : axis;
    if (index < 0 || index >= rank) {
      throw new IllegalArgumentException(
          "axis: got %d, expected one of a tensor of rank %d".formatted(axis, rank));
    }
    return index;
  }

  /// @return the axes in ascending order, all of them when the list is empty
  public static List<Integer> reduced(List<Integer> axes, int rank) {
    return axes.isEmpty()
        ? IntStream.range(0, rank).boxed().toList()
        : axes.stream().map(axis -> index(axis, rank)).distinct().sorted().toList();
  }
}
