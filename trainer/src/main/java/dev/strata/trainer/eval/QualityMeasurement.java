package dev.strata.trainer.eval;

import dev.strata.graph.ModelDescription;
import dev.strata.graph.Tensor;
import dev.strata.model.LayeredModel;
import dev.strata.precision.Bits;
import dev.strata.precision.PrecisionProfile;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/// Quality of every precision of one model, against its float network and the truth.
///
/// @param samples how many were measured on
/// @param reference the float network's own figures against the truth; empty without one
/// @param precisions metric values by width, ascending
public record QualityMeasurement(
    int samples, Map<String, Double> reference, Map<Bits, Map<String, Double>> precisions) {

  private static final int BATCH = 8;

  /// Told after each batch of each network.
  @FunctionalInterface
  public interface Listener {
    void measured(int done, int total);
  }

  /// Something that answers client inputs at any width: an open model, or a server.
  @FunctionalInterface
  public interface Predictor {
    Map<String, Tensor> predict(Bits bits, Map<String, Tensor> inputs);
  }

  public static QualityMeasurement measure(
      LayeredModel model,
      Optional<FloatReference> reference,
      SampleSet samples,
      Listener listener) {
    try (LayeredModel.Session session = model.newSession()) {
      return measure(
          model,
          (bits, inputs) -> session.predict(bits, inputs).outputs(),
          reference,
          samples,
          listener);
    }
  }

  /// @param model says which widths there are and what the answers mean
  /// @param predictor gives the answers
  /// @param reference absent where no float network is known: only the truth then counts
  public static QualityMeasurement measure(
      LayeredModel model,
      Predictor predictor,
      Optional<FloatReference> reference,
      SampleSet samples,
      Listener listener) {
    ModelDescription description = model.description();
    int first = reference.isPresent() ? samples.size() : 0;
    int total = model.precisions().size() * samples.size() + first;
    Optional<Answers> expected =
        reference.map(
            floats -> Answers.of(description, run(samples, floats::predict, 0, total, listener)));
    Map<Bits, Map<String, Double>> precisions = new LinkedHashMap<>();
    for (Bits bits : model.precisions()) {
      int done = precisions.size() * samples.size() + first;
      List<Map<String, Tensor>> outputs =
          run(samples, inputs -> predictor.predict(bits, inputs), done, total, listener);
      precisions.put(bits, quality(Answers.of(description, outputs), expected, samples.truth()));
    }
    return new QualityMeasurement(
        samples.size(),
        expected.map(answers -> quality(answers, expected, samples.truth())).orElse(Map.of()),
        precisions);
  }

  private static Map<String, Double> quality(
      Answers answers, Optional<Answers> reference, List<String> truth) {
    Map<String, Double> quality = new TreeMap<>(answers.correctness(truth));
    reference.ifPresent(expected -> quality.putAll(answers.agreement(expected)));
    return quality;
  }

  private static List<Map<String, Tensor>> run(
      SampleSet samples,
      Function<Map<String, Tensor>, Map<String, Tensor>> network,
      int done,
      int total,
      Listener listener) {
    List<Map<String, Tensor>> outputs = new ArrayList<>();
    for (int from = 0; from < samples.size(); from += BATCH) {
      SampleSet batch = samples.range(from, from + BATCH);
      outputs.add(network.apply(SampleSet.join(batch.samples())));
      listener.measured(done + from + batch.size(), total);
    }
    return outputs;
  }

  /// The description with these figures in its profiles and the float network's in its provenance.
  ///
  /// @param data what was measured on, in a few words
  public ModelDescription describe(ModelDescription description, String data) {
    List<PrecisionProfile> profiles =
        description.profiles().stream()
            .map(
                profile ->
                    new PrecisionProfile(
                        profile.bits(),
                        profile.layers(),
                        precisions.getOrDefault(profile.bits(), profile.quality())))
            .toList();
    Map<String, String> provenance = new TreeMap<>(description.provenance());
    provenance.put("quality.data", "%s, %d samples".formatted(data, samples));
    // Agreement of the float network with itself says nothing.
    reference.forEach(
        (metric, value) -> {
          if (!metric.endsWith("_fp32")) {
            provenance.put("quality.fp32." + metric, String.format(Locale.ROOT, "%.5f", value));
          }
        });
    return new ModelDescription(
        description.name(),
        description.inputs(),
        description.outputs(),
        description.graph(),
        description.preprocessing(),
        description.postprocessing(),
        description.labels(),
        description.defaultBits(),
        profiles,
        provenance);
  }
}
