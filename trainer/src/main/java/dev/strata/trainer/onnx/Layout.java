package dev.strata.trainer.onnx;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The order in which a value's dimensions lie in memory.
enum Layout {
  /// As ONNX names them.
  PLAIN,
  /// The second dimension (channels) last: NHWC for images, NLC for sequences. Three dimensions or
  /// more.
  CHANNELS_LAST;

  /// ONNX's axes in the order of memory.
  List<Integer> order(int rank) {
    List<Integer> order = new ArrayList<>(Axes.all(rank));
    if (this == CHANNELS_LAST) {
      order.add(order.remove(1));
    }
    return order;
  }

  /// Where an ONNX axis lies in memory.
  int position(int axis, int rank) {
    return order(rank).indexOf(axis);
  }

  /// The layout whose order this is.
  static Optional<Layout> ofOrder(List<Integer> order) {
    if (PLAIN.order(order.size()).equals(order)) {
      return Optional.of(PLAIN);
    }
    return order.size() >= 3 && CHANNELS_LAST.order(order.size()).equals(order)
        ? Optional.of(CHANNELS_LAST)
        : Optional.empty();
  }
}
