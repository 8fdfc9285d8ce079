package dev.strata.trainer.accuracy;

import dev.strata.artifact.ArtifactWriter;
import dev.strata.artifact.ModelArtifact;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Tensor;
import dev.strata.model.LayeredModel;
import dev.strata.precision.Bits;
import dev.strata.precision.PrecisionProfile;
import dev.strata.processing.PreparedBatch;
import dev.strata.trainer.eval.FloatReference;
import dev.strata.trainer.eval.QualityMeasurement;
import dev.strata.trainer.eval.SampleSet;
import dev.strata.trainer.importing.ModelImport;
import dev.strata.trainer.onnx.FloatModel;
import dev.strata.trainer.onnx.OnnxImporter;
import dev.strata.trainer.quantize.PlaneAllocation;
import dev.strata.trainer.quantize.QuantizationProgress;
import dev.strata.trainer.repository.EmbeddedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Imports an embedded model anew and measures it at every width, with the same planes for all
/// layers and with planes by sensitivity.
public final class AccuracyStudy {

  private final Path packages;
  private final Path fashionMnist;
  private final int limit;

  /// @param packages folder of the Maven packages that bring the networks
  /// @param fashionMnist folder of the data set's four files
  /// @param limit samples of each model, at most
  public AccuracyStudy(Path packages, Path fashionMnist, int limit) {
    this.packages = packages;
    this.fashionMnist = fashionMnist;
    this.limit = limit;
  }

  /// @param work an empty folder
  ModelAccuracy measure(EmbeddedModel model, Path work, QuantizationProgress progress)
      throws IOException {
    long start = System.nanoTime();
    EmbeddedModel.Recipe recipe = model.recipe(packages, work);
    ModelImport.Evaluation test = model.fullTest(recipe, fashionMnist);
    SampleSet samples = test.samples().range(0, limit);
    Path uniform = work.resolve("uniform.strata");
    Path allocated = work.resolve("allocated.strata");
    ModelImport steps = recipe.steps();
    steps.withAllocatedPlanes(false).run(uniform, progress);
    double importSeconds = secondsSince(start);
    long measuring = System.nanoTime();
    try (FloatModel network = OnnxImporter.read(steps.onnx());
        ModelArtifact artifact = ModelArtifact.open(uniform);
        FloatReference reference = new FloatReference(network, artifact.description(), artifact)) {
      allocate(artifact, graphInputs(reference, steps.calibration()), allocated, progress);
      Measured same = measure(uniform, reference, samples, progress);
      Measured bySensitivity = measure(allocated, reference, samples, progress);
      boolean stored = steps.allocatedPlanes();
      return new ModelAccuracy(
          model.modelName(),
          test.data(),
          samples.size(),
          metric(same.reference()),
          same.reference(),
          stored ? bySensitivity.rows() : same.rows(),
          stored ? same.rows() : bySensitivity.rows(),
          stored,
          importSeconds,
          secondsSince(measuring));
    }
  }

  private static double secondsSince(long nanos) {
    return (System.nanoTime() - nanos) / 1e9;
  }

  private static String metric(Map<String, Double> quality) {
    return List.of("characters_fp32", "accuracy", "spearman_fp32", "agreement_fp32").stream()
        .filter(quality::containsKey)
        .findFirst()
        .orElseThrow();
  }

  private static List<Map<String, Tensor>> graphInputs(
      FloatReference reference, SampleSet calibration) {
    return calibration.samples().stream()
        .flatMap(sample -> reference.processing().prepare(sample).stream())
        .map(PreparedBatch::graphInputs)
        .toList();
  }

  private static void allocate(
      ModelArtifact artifact,
      List<Map<String, Tensor>> inputs,
      Path target,
      QuantizationProgress progress)
      throws IOException {
    ModelDescription described = artifact.description();
    List<PrecisionProfile> profiles =
        PlaneAllocation.allocate(
            described.graph(), artifact, described.profiles(), inputs, progress);
    ArtifactWriter.write(
        target,
        new ModelDescription(
            described.name(),
            described.inputs(),
            described.outputs(),
            described.graph(),
            described.preprocessing(),
            described.postprocessing(),
            described.labels(),
            described.defaultBits(),
            profiles,
            described.provenance()),
        artifact);
  }

  private record Measured(Map<String, Double> reference, List<ModelAccuracy.Row> rows) {}

  private static Measured measure(
      Path file, FloatReference reference, SampleSet samples, QuantizationProgress progress)
      throws IOException {
    try (LayeredModel model = LayeredModel.open(file)) {
      QualityMeasurement quality =
          QualityMeasurement.measure(
              model,
              Optional.of(reference),
              samples,
              (done, total) -> progress.advanced("measuring quality", done, total));
      Map<Bits, Double> millis = Latency.medianMillis(model, samples.samples().getFirst());
      List<ModelAccuracy.Row> rows = new ArrayList<>();
      quality
          .precisions()
          .forEach(
              (bits, figures) ->
                  rows.add(
                      new ModelAccuracy.Row(
                          bits, model.prefixBytes(bits), millis.get(bits), figures)));
      return new Measured(quality.reference(), rows);
    }
  }
}
