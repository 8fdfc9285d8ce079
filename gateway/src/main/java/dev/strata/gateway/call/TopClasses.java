package dev.strata.gateway.call;

import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// The classification extension of the Open Inference Protocol: of each row of scores the highest,
/// as text.
final class TopClasses {

  private TopClasses() {}

  /// @param scores FP32 `[..., n]`
  /// @param classes how many; all `n` if there are not so many
  /// @param labels of the `n` classes; otherwise they are not told
  /// @return BYTES `[..., classes]`, each `score:index` or `score:index:label`, highest first, and
  ///     of equal ones the first first
  static Tensor of(Tensor scores, int classes, List<String> labels) {
    List<Long> dims = new ArrayList<>(scores.shape().dims());
    int count = Math.toIntExact(dims.getLast());
    int most = Math.min(classes, count);
    dims.set(dims.size() - 1, (long) most);
    float[] values = scores.toFloats();
    List<byte[]> found = new ArrayList<>();
    for (int row = 0; row < values.length; row += count) {
      int first = row;
      IntStream.range(0, count)
          .boxed()
          .sorted(Comparator.comparingDouble(index -> -values[first + index]))
          .limit(most)
          .map(index -> text(values[first + index], index, count, labels))
          .forEach(found::add);
    }
    Tensor flat = Tensor.ofBytes(found);
    return new Tensor(flat.type(), new Shape(dims), flat.data());
  }

  private static byte[] text(float score, int index, int count, List<String> labels) {
    String text = String.format(Locale.ROOT, "%f:%d", score, index);
    return (labels.size() == count ? text + ":" + labels.get(index) : text)
        .getBytes(StandardCharsets.UTF_8);
  }
}
