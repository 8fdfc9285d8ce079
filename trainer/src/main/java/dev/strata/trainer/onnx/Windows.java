package dev.strata.trainer.onnx;

import dev.strata.graph.Op;
import java.util.List;

/// Sliding windows of convolution and pooling nodes. One-dimensional ones get a height of 1.
final class Windows {
  private Windows() {}

  /// @param plain the input's dimensions, `[N, C, size...]`
  /// @param kernel taps along each spatial axis
  static Op.Window of(OnnxNode node, List<Extent> plain, List<Long> kernel) {
    int axes = plain.size() - 2;
    if (axes < 1 || axes > 2 || kernel.size() != axes) {
      throw new ModelImportException(
          "a kernel of %s over a value with %d dimensions, expected 1 or 2 spatial axes"
              .formatted(kernel, plain.size()));
    }
    SlidingAxis across = new SlidingAxis(node.attributes(), axes - 1, axes, kernel.getLast());
    long[] sides = across.padding(plain.getLast());
    if (axes == 1) {
      return window(1, across.kernel(), 1, across.stride(), 1, across.dilation(), 0, sides[0], 0, sides[1]);
    }
    SlidingAxis down = new SlidingAxis(node.attributes(), 0, axes, kernel.getFirst());
    long[] ends = down.padding(plain.get(2));
    return window(
        down.kernel(),
        across.kernel(),
        down.stride(),
        across.stride(),
        down.dilation(),
        across.dilation(),
        ends[0],
        sides[0],
        ends[1],
        sides[1]);
  }

  private static Op.Window window(long... numbers) {
    int[] n = new int[numbers.length];
    for (int i = 0; i < n.length; i++) {
      n[i] = Math.toIntExact(numbers[i]);
      if (n[i] < 0) {
        throw new ModelImportException("negative padding: Slice the value instead");
      }
    }
    return new Op.Window(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9]);
  }

  /// Adds a window operator over the first input.
  static void add(Values values, OnnxNode node, Op op) {
    String x = values.get(node.input(0), Layout.CHANNELS_LAST);
    if (values.rank(node.input(0)) == 4) {
      values.add(node, op, List.of(x), Layout.CHANNELS_LAST);
      return;
    }
    String flat = values.step(node, new Op.Unsqueeze(List.of(1)), x);
    String result = values.step(node, op, flat);
    values.add(node, new Op.Squeeze(List.of(1)), List.of(result), Layout.CHANNELS_LAST);
  }
}
