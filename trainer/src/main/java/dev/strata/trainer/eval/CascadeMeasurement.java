package dev.strata.trainer.eval;

import dev.strata.graph.ConfidenceCascade;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Postprocessing;
import dev.strata.graph.Tensor;
import dev.strata.model.LayeredModel;
import dev.strata.precision.Bits;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// What a classifier gains by answering at a narrow width first: accuracy against mean cost, for
/// each margin under which it asks the wider one.
///
/// @param points ascending by threshold, from "never ask" to "always ask"
/// @param chosen the cheapest that loses at most [#LOSS] of the wider width's accuracy
public record CascadeMeasurement(List<Point> points, ConfidenceCascade chosen) {

  private static final double LOSS = 0.001;
  private static final int STEPS = 20;

  /// @param threshold margin under which the wider width is asked
  /// @param accuracy share of right answers; without a truth, of those the wider width gives
  /// @param asked share of samples that ask the wider width
  /// @param meanCost mean time of an answer, as a share of the wider width's
  public record Point(double threshold, double accuracy, double asked, double meanCost) {}

  public CascadeMeasurement {
    points = List.copyOf(points);
  }

  /// Each sample is answered alone, at both widths in turn.
  ///
  /// @throws IllegalArgumentException if the model is no classifier with probabilities
  public static CascadeMeasurement measure(
      LayeredModel model,
      Bits low,
      Bits high,
      SampleSet samples,
      QualityMeasurement.Listener listener) {
    ModelDescription description = model.description();
    if (!(description.postprocessing() instanceof Postprocessing.Softmax softmax)) {
      throw new IllegalArgumentException(
          "cascade: got the model '%s', expected one that answers with class probabilities"
              .formatted(description.name()));
    }
    Run narrow = new Run(samples.size());
    Run wide = new Run(samples.size());
    double[] margins = new double[samples.size()];
    try (LayeredModel.Session session = model.newSession()) {
      for (int i = 0; i < samples.size(); i++) {
        Map<String, Tensor> sample = samples.samples().get(i);
        narrow.answer(session, low, sample);
        wide.answer(session, high, sample);
        margins[i] = ConfidenceCascade.margin(narrow.outputs.getLast().get(softmax.output()));
        listener.measured(i + 1, samples.size());
      }
    }
    boolean[] narrowRight = narrow.right(description, samples.truth(), wide);
    boolean[] wideRight = wide.right(description, samples.truth(), wide);
    return of(low, high, margins, narrowRight, wideRight, narrow.median() / wide.median());
  }

  /// @param margins of each sample at the narrow width
  /// @param narrowRight whether its narrow answer is right
  /// @param wideRight whether its wide one is
  /// @param cost of a narrow answer, as a share of a wide one's
  static CascadeMeasurement of(
      Bits low,
      Bits high,
      double[] margins,
      boolean[] narrowRight,
      boolean[] wideRight,
      double cost) {
    List<Point> points = new ArrayList<>();
    for (int step = 0; step <= STEPS; step++) {
      double threshold = (double) step / STEPS;
      int right = 0;
      int asked = 0;
      for (int i = 0; i < margins.length; i++) {
        boolean asks = margins[i] < threshold;
        asked += asks ? 1 : 0;
        right += (asks ? wideRight[i] : narrowRight[i]) ? 1 : 0;
      }
      double share = (double) asked / margins.length;
      points.add(new Point(threshold, (double) right / margins.length, share, cost + share));
    }
    double enough = points.getLast().accuracy() - LOSS;
    Point point =
        points.stream()
            .filter(candidate -> candidate.accuracy() >= enough)
            .findFirst()
            .orElseThrow();
    return new CascadeMeasurement(
        points,
        new ConfidenceCascade(low, high, point.threshold(), point.accuracy(), point.meanCost()));
  }

  /// One width's answers and times.
  private static final class Run {
    private final List<Map<String, Tensor>> outputs = new ArrayList<>();
    private final long[] nanos;

    Run(int samples) {
      nanos = new long[samples];
    }

    void answer(LayeredModel.Session session, Bits bits, Map<String, Tensor> sample) {
      long start = System.nanoTime();
      Map<String, Tensor> answer = session.predict(bits, sample).outputs();
      nanos[outputs.size()] = System.nanoTime() - start;
      outputs.add(answer);
    }

    double median() {
      return Arrays.stream(nanos).sorted().skip(nanos.length / 2).findFirst().orElseThrow();
    }

    boolean[] right(ModelDescription description, List<String> truth, Run reference) {
      Answers.Scores found = (Answers.Scores) Answers.of(description, outputs);
      Answers.Scores expected = (Answers.Scores) Answers.of(description, reference.outputs);
      boolean[] right = new boolean[outputs.size()];
      for (int i = 0; i < right.length; i++) {
        int label =
            truth.isEmpty() ? Metrics.best(expected.rows().get(i)) : found.classOf(truth.get(i));
        right[i] = Metrics.best(found.rows().get(i)) == label;
      }
      return right;
    }
  }
}
