package dev.strata.trainer.eval;

import java.util.Arrays;
import java.util.stream.IntStream;

/// Quality figures over plain arrays.
public final class Metrics {

  private Metrics() {}

  /// Index of the largest value; the first one of several.
  public static int best(float[] scores) {
    int best = 0;
    for (int i = 1; i < scores.length; i++) {
      if (scores[i] > scores[best]) {
        best = i;
      }
    }
    return best;
  }

  /// Share of samples whose best class is the label, 0..1.
  ///
  /// @param scores `[samples][classes]`
  public static double accuracy(float[][] scores, int[] labels) {
    requireSame(scores.length, labels.length);
    long right =
        IntStream.range(0, labels.length).filter(i -> best(scores[i]) == labels[i]).count();
    return (double) right / labels.length;
  }

  /// Share of samples on which two networks choose the same class, 0..1.
  public static double agreement(float[][] scores, float[][] reference) {
    requireSame(scores.length, reference.length);
    return accuracy(scores, Arrays.stream(reference).mapToInt(Metrics::best).toArray());
  }

  /// Cosine of the angle between two vectors; 0 if one is zero.
  public static double cosine(float[] a, float[] b) {
    requireSame(a.length, b.length);
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += (double) a[i] * b[i];
      aa += (double) a[i] * a[i];
      bb += (double) b[i] * b[i];
    }
    return aa == 0 || bb == 0 ? 0 : ab / Math.sqrt(aa * bb);
  }

  public static double meanCosine(float[][] vectors, float[][] reference) {
    requireSame(vectors.length, reference.length);
    return IntStream.range(0, vectors.length)
        .mapToDouble(i -> cosine(vectors[i], reference[i]))
        .average()
        .orElseThrow();
  }

  /// Cosines of all pairs (i < j), row by row.
  public static double[] pairwiseSimilarities(float[][] vectors) {
    double[] similarities = new double[vectors.length * (vectors.length - 1) / 2];
    int at = 0;
    for (int i = 0; i < vectors.length; i++) {
      for (int j = i + 1; j < vectors.length; j++) {
        similarities[at++] = cosine(vectors[i], vectors[j]);
      }
    }
    return similarities;
  }

  /// Spearman's rank correlation: Pearson's of the ranks, equal values sharing their mean rank.
  public static double spearman(double[] a, double[] b) {
    requireSame(a.length, b.length);
    return pearson(ranks(a), ranks(b));
  }

  private static double[] ranks(double[] values) {
    Integer[] order = IntStream.range(0, values.length).boxed().toArray(Integer[]::new);
    Arrays.sort(order, (i, j) -> Double.compare(values[i], values[j]));
    double[] ranks = new double[values.length];
    for (int from = 0; from < order.length; ) {
      int to = from + 1;
      while (to < order.length && values[order[to]] == values[order[from]]) {
        to++;
      }
      for (int i = from; i < to; i++) {
        ranks[order[i]] = (from + to - 1) / 2.0;
      }
      from = to;
    }
    return ranks;
  }

  private static double pearson(double[] a, double[] b) {
    double meanA = Arrays.stream(a).average().orElseThrow();
    double meanB = Arrays.stream(b).average().orElseThrow();
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += (a[i] - meanA) * (b[i] - meanB);
      aa += (a[i] - meanA) * (a[i] - meanA);
      bb += (b[i] - meanB) * (b[i] - meanB);
    }
    return aa == 0 || bb == 0 ? 0 : ab / Math.sqrt(aa * bb);
  }

  /// Edits (insert, delete, replace one code point) over the length of the truth, for all texts
  /// together.
  public static double characterErrorRate(String[] texts, String[] truth) {
    requireSame(texts.length, truth.length);
    long edits = 0;
    long length = 0;
    for (int i = 0; i < texts.length; i++) {
      int[] expected = truth[i].codePoints().toArray();
      edits += editDistance(texts[i].codePoints().toArray(), expected);
      length += expected.length;
    }
    return length == 0 ? (edits == 0 ? 0 : 1) : (double) edits / length;
  }

  private static int editDistance(int[] a, int[] b) {
    int[] row = IntStream.rangeClosed(0, b.length).toArray();
    for (int i = 1; i <= a.length; i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length; j++) {
        int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length];
  }

  private static void requireSame(int found, int expected) {
    if (found != expected || found == 0) {
      throw new IllegalArgumentException(
          "samples: got %d and %d, expected the same positive number".formatted(found, expected));
    }
  }
}
