package dev.strata.trainer.training;

import dev.strata.artifact.ModelArtifact;
import dev.strata.precision.Bits;
import dev.strata.precision.PrecisionProfile;
import dev.strata.trainer.quantize.QuantizationProgress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/// One network trained for all widths at once and, with the same data, schedule and seed, in each
/// way it is to be compared with: for every width alone, for 8 bits and then cut, and in floats.
///
/// @param folder of the artifacts, one for each run; a run whose artifact is there is not repeated
public record TrainingStudy(RunFile run, Path folder, Path datasets) {

  /// @throws InvalidRunException if the run is not one for several widths
  public TrainingStudy {
    if (run.method() != RunFile.Method.ONCE_QAT) {
      throw new InvalidRunException(
          "method: got %s, expected once-qat, with which the others are compared"
              .formatted(RunKeys.written(run.method())));
    }
  }

  /// What a run left.
  ///
  /// @param artifact its file
  /// @param accuracies of the served model on the test images, by width
  /// @param prefixBytes of the file that a request of a width needs
  /// @param bytes of the file
  /// @param seconds its training took, the mean of a step times all steps; NaN if it is not known
  /// @param provenance as in the artifact
  public record Trained(
      String name,
      Path artifact,
      Map<Bits, Double> accuracies,
      Map<Bits, Long> prefixBytes,
      long bytes,
      double seconds,
      Map<String, String> provenance) {
    public Trained {
      accuracies = java.util.Collections.unmodifiableMap(new TreeMap<>(accuracies));
      prefixBytes = java.util.Collections.unmodifiableMap(new TreeMap<>(prefixBytes));
      provenance = Map.copyOf(provenance);
    }
  }

  /// Of all runs.
  ///
  /// @param dedicated by the width each was trained for; that for 8 bits is the truncated one
  public record Outcome(
      RunFile run, Trained once, Map<Bits, Trained> dedicated, Trained truncated, Trained floats) {
    public Outcome {
      dedicated = java.util.Collections.unmodifiableMap(new TreeMap<>(dedicated));
    }
  }

  /// Trains what is missing; a study that is stopped goes on where it was.
  public Outcome execute(QuantizationProgress progress) throws IOException {
    Files.createDirectories(folder);
    Trained once = trained("once-qat", run, progress);
    Trained truncated = trained("truncation", alone(RunFile.Method.TRUNCATION, 8), progress);
    Map<Bits, Trained> dedicated = new TreeMap<>();
    for (int width : run.widths()) {
      dedicated.put(
          new Bits(width),
          width == Bits.MAX
              ? truncated
              : trained("dedicated-" + width, alone(RunFile.Method.DEDICATED, width), progress));
    }
    Trained floats = trained("fp32", alone(RunFile.Method.FP32, 8), progress);
    return new Outcome(run, once, dedicated, truncated, floats);
  }

  private RunFile alone(RunFile.Method method, int width) {
    return run.with(method, List.of(width));
  }

  private Trained trained(String way, RunFile one, QuantizationProgress progress)
      throws IOException {
    Optional<Path> there = artifactOf(one);
    if (there.isPresent()) {
      return read(way, there.get());
    }
    Path artifact = folder.resolve(run.name() + "-" + way + ".strata");
    new TrainingRun(one, datasets)
        .execute(
            artifact,
            (stage, done, total) ->
                progress.advanced(run.name() + ", " + way + ": " + stage, done, total));
    return read(way, artifact);
  }

  /// What another study left counts too, if its run was the same.
  private Optional<Path> artifactOf(RunFile one) throws IOException {
    List<Path> artifacts;
    try (Stream<Path> files = Files.list(folder)) {
      artifacts = files.filter(file -> file.toString().endsWith(".strata")).sorted().toList();
    }
    for (Path artifact : artifacts) {
      if (isOf(one, artifact)) {
        return Optional.of(artifact);
      }
    }
    return Optional.empty();
  }

  private static boolean isOf(RunFile run, Path artifact) throws IOException {
    try (ModelArtifact model = ModelArtifact.open(artifact)) {
      String text = model.description().provenance().get(TrainingRun.RUN);
      return text != null && RunFile.parse(text).trainsLike(run);
    }
  }

  private static Trained read(String name, Path artifact) throws IOException {
    try (ModelArtifact model = ModelArtifact.open(artifact)) {
      Map<Bits, Double> accuracies = new TreeMap<>();
      Map<Bits, Long> prefixBytes = new TreeMap<>();
      for (PrecisionProfile profile : model.description().profiles()) {
        accuracies.put(profile.bits(), profile.quality().get("accuracy"));
        prefixBytes.put(profile.bits(), model.prefixBytes(profile.bits()));
      }
      Map<String, String> provenance = model.description().provenance();
      double seconds =
          number(provenance, TrainingRun.STEPS) * number(provenance, TrainingRun.STEP_SECONDS);
      return new Trained(
          name, artifact, accuracies, prefixBytes, Files.size(artifact), seconds, provenance);
    }
  }

  private static double number(Map<String, String> provenance, String key) {
    return Double.parseDouble(provenance.getOrDefault(key, "NaN"));
  }
}
