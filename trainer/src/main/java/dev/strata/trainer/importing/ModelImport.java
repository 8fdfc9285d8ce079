package dev.strata.trainer.importing;

import dev.strata.artifact.ArtifactWriter;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSpec;
import dev.strata.model.LayeredModel;
import dev.strata.precision.Bits;
import dev.strata.precision.PrecisionProfile;
import dev.strata.processing.ModelProcessing;
import dev.strata.processing.PreparedBatch;
import dev.strata.processing.RejectedInputException;
import dev.strata.trainer.eval.FloatReference;
import dev.strata.trainer.eval.QualityMeasurement;
import dev.strata.trainer.eval.SampleSet;
import dev.strata.trainer.onnx.FloatModel;
import dev.strata.trainer.onnx.OnnxImporter;
import dev.strata.trainer.quantize.CalibrationData;
import dev.strata.trainer.quantize.LayeredNetwork;
import dev.strata.trainer.quantize.LayeredQuantizer;
import dev.strata.trainer.quantize.PlaneAllocation;
import dev.strata.trainer.quantize.QuantizationProgress;
import dev.strata.trainer.quantize.QuantizationSettings;
import dev.strata.trainer.training.TableDistillation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// One network on its way from ONNX to a layered artifact.
///
/// @param name what the model calls itself
/// @param onnx the network's file
/// @param face what clients see of it
/// @param calibration typical client inputs or graph inputs; empty to quantize from weights alone
/// @param settings how to quantize
/// @param allocatedPlanes give planes to layers by sensitivity, so that a width is a budget; only
///     with calibration
/// @param defaultBits the precision of a request that names none
/// @param provenance more to say of the source, by key
public record ModelImport(
    String name,
    Path onnx,
    ModelInterface face,
    SampleSet calibration,
    QuantizationSettings settings,
    boolean allocatedPlanes,
    Bits defaultBits,
    Map<String, String> provenance) {

  public ModelImport {
    provenance = Map.copyOf(provenance);
  }

  public ModelImport withAllocatedPlanes(boolean wanted) {
    return new ModelImport(
        name, onnx, face, calibration, settings, wanted, defaultBits, provenance);
  }

  /// What to measure after the import.
  ///
  /// @param samples client inputs
  /// @param data what they are, in a few words
  public record Evaluation(SampleSet samples, String data) {}

  /// Writes the artifact without quality figures.
  public void run(Path target, QuantizationProgress progress) throws IOException {
    try (FloatModel model = OnnxImporter.read(onnx);
        FloatReference reference = reference(model)) {
      write(target, model, reference, progress);
    }
  }

  /// Writes the artifact with the quality of every precision. The target appears when all is done.
  public void run(Path target, Evaluation evaluation, QuantizationProgress progress)
      throws IOException {
    Path draft = target.resolveSibling(target.getFileName() + ".draft");
    try (FloatModel model = OnnxImporter.read(onnx);
        FloatReference reference = reference(model)) {
      write(draft, model, reference, progress);
      ModelDescription measured;
      try (LayeredModel layered = LayeredModel.open(draft)) {
        measured =
            QualityMeasurement.measure(
                    layered,
                    Optional.of(reference),
                    evaluation.samples(),
                    (done, total) -> progress.advanced("measuring quality", done, total))
                .describe(layered.description(), evaluation.data());
      }
      ArtifactWriter.describe(draft, measured, Optional.empty(), target);
    } finally {
      Files.deleteIfExists(draft);
    }
  }

  private void write(
      Path target, FloatModel model, FloatReference reference, QuantizationProgress progress)
      throws IOException {
    Map<String, Tensor> example =
        calibration.samples().isEmpty() || !isClientInput(model)
            ? face.example(model.graph())
            : calibration.samples().getFirst();
    List<TensorSpec> outputs = face.outputs(model.graph(), reference.predict(example));
    CalibrationData data = calibrationData(model, reference);
    LayeredNetwork network = LayeredQuantizer.quantize(model, data, settings, progress);
    try (var tensors = network.tensors()) {
      TableDistillation.tune(model, network, data, settings.distillation(), progress);
      face.assets().forEach(tensors::put);
      ModelDescription description =
          face.describe(
              name,
              network.graph(),
              outputs,
              profiles(network, data, progress),
              defaultBits,
              fullProvenance());
      ArtifactWriter.write(target, description, tensors);
    }
  }

  private List<PrecisionProfile> profiles(
      LayeredNetwork network, CalibrationData data, QuantizationProgress progress) {
    return allocatedPlanes && !data.isEmpty()
        ? PlaneAllocation.allocate(
            network.graph(), network.tensors(), network.profiles(), data.batches(), progress)
        : network.profiles();
  }

  private FloatReference reference(FloatModel model) {
    ModelDescription description =
        face.describe(name, model.graph(), List.of(), List.of(), defaultBits, Map.of());
    return new FloatReference(model, description, face.assetSource());
  }

  /// One run per sample, so that padding never counts as data.
  private CalibrationData calibrationData(FloatModel model, FloatReference reference) {
    if (!isClientInput(model)) {
      return new CalibrationData(calibration.samples());
    }
    ModelProcessing processing = reference.processing();
    List<Map<String, Tensor>> runs = new ArrayList<>();
    for (Map<String, Tensor> sample : calibration.samples()) {
      try {
        processing.prepare(sample).stream().map(PreparedBatch::graphInputs).forEach(runs::add);
      } catch (RejectedInputException rejected) {
        throw new IllegalArgumentException("calibration: " + rejected.getMessage(), rejected);
      }
    }
    return new CalibrationData(runs);
  }

  private boolean isClientInput(FloatModel model) {
    List<String> names = face.inputs(model.graph()).stream().map(TensorSpec::name).toList();
    return calibration.samples().stream().allMatch(sample -> names.containsAll(sample.keySet()));
  }

  private Map<String, String> fullProvenance() throws IOException {
    Map<String, String> full = new TreeMap<>(provenance);
    full.put("source.file", onnx.getFileName().toString());
    full.put("source.sha256", sha256(onnx));
    full.put("tool", "strata 0.1.0");
    full.put("calibration.samples", Integer.toString(calibration.size()));
    return full;
  }

  private static String sha256(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[1 << 16];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        digest.update(buffer, 0, read);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }
}
