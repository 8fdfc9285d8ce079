package dev.strata.trainer.eval;

import dev.strata.graph.DataType;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Postprocessing;
import dev.strata.graph.Tensor;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// A model's answers to a sample set and how they compare.
sealed interface Answers {

  /// @param reference the float network's answers, of the same kind
  /// @return metric name to value
  Map<String, Double> agreement(Answers reference);

  /// @param truth right answers, may be empty
  /// @return metric name to value
  Map<String, Double> correctness(List<String> truth);

  /// What of the outputs counts: the words a model says, else its numbers.
  static Answers of(ModelDescription description, List<Map<String, Tensor>> outputs) {
    return switch (description.postprocessing()) {
      case Postprocessing.Label label -> new Words(words(outputs, label.labelOutput()), false);
      case Postprocessing.Ctc ctc -> new Words(words(outputs, ctc.textOutput()), true);
      case Postprocessing.MeanPool pool -> new Vectors(rows(outputs, pool.output()));
      case Postprocessing.Softmax softmax ->
          new Scores(rows(outputs, softmax.output()), description.labels());
      case Postprocessing.None none -> plain(description, outputs);
    };
  }

  private static Answers plain(ModelDescription description, List<Map<String, Tensor>> outputs) {
    String name =
        description.outputs().stream()
            .filter(spec -> spec.type() == DataType.FP32)
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("the model has no FP32 output"))
            .name();
    boolean scores = outputs.getFirst().get(name).shape().rank() == 2;
    List<float[]> rows = rows(outputs, name);
    return scores ? new Scores(rows, description.labels()) : new Vectors(rows);
  }

  private static List<String> words(List<Map<String, Tensor>> outputs, String name) {
    return outputs.stream()
        .flatMap(output -> output.get(name).toByteArrays().stream())
        .map(word -> new String(word, StandardCharsets.UTF_8))
        .toList();
  }

  private static List<float[]> rows(List<Map<String, Tensor>> outputs, String name) {
    List<float[]> rows = new ArrayList<>();
    for (Map<String, Tensor> output : outputs) {
      Tensor tensor = output.get(name);
      float[] values = tensor.toFloats();
      int count = Math.toIntExact(tensor.shape().dim(0));
      int size = values.length / count;
      for (int row = 0; row < count; row++) {
        rows.add(Arrays.copyOfRange(values, row * size, (row + 1) * size));
      }
    }
    return rows;
  }

  private static float[][] matrix(List<float[]> rows) {
    return rows.toArray(float[][]::new);
  }

  /// Embeddings: direction and the order of similarities count.
  record Vectors(List<float[]> rows) implements Answers {
    @Override
    public Map<String, Double> agreement(Answers reference) {
      float[][] expected = matrix(((Vectors) reference).rows());
      float[][] found = matrix(rows);
      Map<String, Double> quality = new TreeMap<>();
      quality.put("cosine_fp32", Metrics.meanCosine(found, expected));
      if (found.length > 2) {
        quality.put(
            "spearman_fp32",
            Metrics.spearman(
                Metrics.pairwiseSimilarities(found), Metrics.pairwiseSimilarities(expected)));
      }
      return quality;
    }

    @Override
    public Map<String, Double> correctness(List<String> truth) {
      return Map.of();
    }
  }

  /// Class scores: the best class counts.
  record Scores(List<float[]> rows, List<String> labels) implements Answers {
    @Override
    public Map<String, Double> agreement(Answers reference) {
      float[][] expected = matrix(((Scores) reference).rows());
      float[][] found = matrix(rows);
      return Map.of(
          "agreement_fp32",
          Metrics.agreement(found, expected),
          "cosine_fp32",
          Metrics.meanCosine(found, expected));
    }

    @Override
    public Map<String, Double> correctness(List<String> truth) {
      int[] right = truth.stream().mapToInt(this::classOf).toArray();
      return truth.isEmpty() ? Map.of() : Map.of("accuracy", Metrics.accuracy(matrix(rows), right));
    }

    int classOf(String label) {
      int index = labels.indexOf(label);
      if (index >= 0) {
        return index;
      }
      try {
        return Integer.parseInt(label);
      } catch (NumberFormatException unknown) {
        throw new IllegalArgumentException(
            "label: got '%s', expected a class number or one of %s".formatted(label, labels),
            unknown);
      }
    }
  }

  /// Labels or texts.
  ///
  /// @param readText whether single characters count too
  record Words(List<String> words, boolean readText) implements Answers {
    @Override
    public Map<String, Double> agreement(Answers reference) {
      List<String> expected = ((Words) reference).words();
      Map<String, Double> quality = new TreeMap<>();
      quality.put("agreement_fp32", equalShare(expected));
      if (readText) {
        quality.put("characters_fp32", 1 - errorRate(expected));
      }
      return quality;
    }

    @Override
    public Map<String, Double> correctness(List<String> truth) {
      Map<String, Double> quality = new TreeMap<>();
      if (!truth.isEmpty()) {
        quality.put(readText ? "exact" : "accuracy", equalShare(truth));
        if (readText) {
          quality.put("character_error_rate", errorRate(truth));
        }
      }
      return quality;
    }

    private double errorRate(List<String> expected) {
      return Metrics.characterErrorRate(
          words.toArray(String[]::new), expected.toArray(String[]::new));
    }

    private double equalShare(List<String> expected) {
      long equal =
          IntStream.range(0, words.size())
              .filter(i -> words.get(i).equals(expected.get(i)))
              .count();
      return (double) equal / words.size();
    }
  }
}
