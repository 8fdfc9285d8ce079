package dev.strata.gateway;

import dev.strata.gateway.call.ModelCard;
import dev.strata.graph.DataType;
import dev.strata.graph.Tensor;
import java.util.Map;
import java.util.OptionalDouble;

/// Whether the answers of two widths to one request say the same. Of a classifier: every row has
/// the same best class. Of a model that gives vectors: every row points the same way. Of anything
/// else: they are equal.
///
/// @param distance 1 - cosine of the rows that differ most; empty where there are no vectors
record WidthComparison(boolean same, OptionalDouble distance) {

  /// @param cosine from which on vectors count as the same
  static WidthComparison of(
      ModelCard card, double cosine, Map<String, Tensor> narrow, Map<String, Tensor> wide) {
    String name = card.signature().outputs().getFirst().name();
    Tensor a = narrow.get(name);
    Tensor b = wide.get(name);
    if (!a.shape().equals(b.shape())) {
      return new WidthComparison(false, OptionalDouble.empty());
    }
    if (a.type() != DataType.FP32 || a.shape().rank() == 0) {
      return new WidthComparison(a.data().mismatch(b.data()) < 0, OptionalDouble.empty());
    }
    float[] first = a.toFloats();
    float[] second = b.toFloats();
    int columns = Math.toIntExact(a.shape().dim(a.shape().rank() - 1));
    boolean classes = card.cascade().isPresent() || card.labels().size() == columns;
    boolean sameClasses = true;
    double distance = 0;
    for (int row = 0; row < first.length; row += columns) {
      sameClasses &= best(first, row, columns) == best(second, row, columns);
      distance = Math.max(distance, 1 - cosine(first, second, row, columns));
    }
    return new WidthComparison(
        classes ? sameClasses : distance <= 1 - cosine, OptionalDouble.of(distance));
  }

  private static int best(float[] values, int from, int count) {
    int best = from;
    for (int i = from + 1; i < from + count; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best - from;
  }

  private static double cosine(float[] a, float[] b, int from, int count) {
    double product = 0;
    double first = 0;
    double second = 0;
    for (int i = from; i < from + count; i++) {
      product += (double) a[i] * b[i];
      first += (double) a[i] * a[i];
      second += (double) b[i] * b[i];
    }
    if (first == 0 || second == 0) {
      return first == second ? 1 : 0;
    }
    return product / Math.sqrt(first * second);
  }
}
