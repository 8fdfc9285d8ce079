package dev.strata.trainer.onnx;

import java.util.List;
import java.util.Optional;

/// Which layout is left when axes go away.
final class Reductions {
  private Reductions() {}

  /// Whether the axes can be taken from a value as it lies in memory.
  static boolean isFree(List<Integer> axes, Layout layout, int rank) {
    return remaining(axes, layout, rank).isPresent();
  }

  /// The layout of the result: of what is left in memory if that has a name, else plain.
  static Layout afterRemoving(List<Integer> axes, Layout layout, int rank) {
    return remaining(axes, layout, rank).orElse(Layout.PLAIN);
  }

  private static Optional<Layout> remaining(List<Integer> axes, Layout layout, int rank) {
    List<Integer> kept = Axes.all(rank).stream().filter(axis -> !axes.contains(axis)).toList();
    List<Integer> order =
        layout.order(rank).stream().filter(kept::contains).map(kept::indexOf).toList();
    return Layout.ofOrder(order);
  }
}
