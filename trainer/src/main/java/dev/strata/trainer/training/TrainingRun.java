package dev.strata.trainer.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.strata.artifact.ArtifactWriter;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Tensor;
import dev.strata.model.LayeredModel;
import dev.strata.precision.Bits;
import dev.strata.precision.PrecisionProfile;
import dev.strata.trainer.quantize.QuantizationProgress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;

/// From a run file to an artifact with measured quality.
///
/// @param datasets where packaged data sets lie, a folder for each
public record TrainingRun(RunFile run, Path datasets) {
  /// Provenance: the text of the run file.
  static final String RUN = "training.run";

  /// Provenance: the widths that were trained, in brackets; all others are cut from a wider one.
  private static final String WIDTHS = "training.widths";

  /// Provenance: how many steps the run has, those before a stop too.
  static final String STEPS = "training.steps";

  /// Provenance: mean time of a step of the process that ended the run.
  static final String STEP_SECONDS = "training.step.seconds";

  private static final int TEST_BATCH = 100;
  private static final int CALIBRATION_SAMPLES = 1000;

  /// What came of a run.
  ///
  /// @param accuracies share of test images that the served model gets right, by width
  /// @param floatAccuracy the same of the float network, after a run with the method fp32
  /// @param seconds spent in training steps by this process
  /// @param steps made by this process
  public record Result(
      Map<Bits, Double> accuracies, Optional<Double> floatAccuracy, double seconds, int steps) {
    public Result {
      accuracies = java.util.Collections.unmodifiableMap(new TreeMap<>(accuracies));
    }
  }

  /// Trains, or goes on where a stopped run of the same file and data has left its checkpoint
  /// beside the output. The artifact appears when all is done; the checkpoint then goes.
  ///
  /// @throws InvalidRunException if the run file, its data or a checkpoint cannot be used
  public static Result execute(
      Path runFile, Path output, Path datasets, QuantizationProgress progress) throws IOException {
    return new TrainingRun(RunFile.read(runFile), datasets).execute(output, progress);
  }

  public Result execute(Path output, QuantizationProgress progress) throws IOException {
    progress.advanced("reading data", 0, 0);
    TrainingData data = TrainingData.read(run.data(), datasets);
    TrainedNetwork network =
        new TrainedNetwork(Architecture.build(run.network(), data.train(), data.classes()), run);
    Path checkpoint = output.resolveSibling(output.getFileName() + ".checkpoint");
    String owner = Checksum.of(run.text() + data.sha256());
    int first = Files.exists(checkpoint) ? network.state().read(checkpoint, owner) : 0;
    progress.advanced("starting the tensor library", 0, 0);
    try (NDManager memory = TorchEngine.start(run.threads());
        ExecutorService ahead =
            Executors.newSingleThreadExecutor(Thread.ofPlatform().name("batches").factory())) {
      Training training = new Training(network, data.train(), data.classes(), ahead);
      int epochs = run.schedule().epochs();
      Pace pace = new Pace(progress, first, epochs);
      for (int epoch = first; epoch < epochs; epoch++) {
        training.epoch(memory, epoch, pace);
        network.state().write(checkpoint, owner, epoch + 1);
      }
      progress.advanced("settling the norms", 0, 0);
      training.settleNorms(memory);
      Optional<Double> floats = Optional.empty();
      if (run.method() == RunFile.Method.FP32) {
        progress.advanced("measuring the float network", 0, 0);
        calibrate(memory, network, data.train());
        floats = Optional.of(accuracy(memory, network, data));
      }
      Map<Bits, Double> accuracies =
          export(network, data, provenance(data, floats, pace), output, progress);
      Files.deleteIfExists(checkpoint);
      return new Result(accuracies, floats, pace.seconds(), pace.steps());
    }
  }

  /// The widths of a trained model that were not trained themselves; none of any other model.
  ///
  /// @param provenance of its artifact
  public static Set<Bits> untrained(Map<String, String> provenance) {
    Set<Bits> untrained = new TreeSet<>();
    String trained = provenance.get(WIDTHS);
    if (trained != null) {
      untrained.addAll(Bits.all());
      Pattern.compile("[1-8]")
          .matcher(trained)
          .results()
          .forEach(width -> untrained.remove(new Bits(Integer.parseInt(width.group()))));
    }
    return untrained;
  }

  private Map<String, String> provenance(TrainingData data, Optional<Double> floats, Pace pace) {
    Map<String, String> provenance = new TreeMap<>();
    provenance.put("tool", "strata 0.1.0");
    provenance.put(RUN, run.text());
    provenance.put("training.seed", Integer.toString(run.seed()));
    List<Integer> trained = run.method() == RunFile.Method.FP32 ? List.of() : run.widths();
    provenance.put(WIDTHS, trained.toString());
    if (pace.steps() > 0) {
      provenance.put(STEPS, Integer.toString(pace.total()));
      provenance.put(
          STEP_SECONDS, String.format(Locale.ROOT, "%.4f", pace.seconds() / pace.steps()));
    }
    provenance.put("data.sha256", data.sha256());
    provenance.put("quality.data", "test set, %d samples".formatted(data.test().count()));
    floats.ifPresent(
        value ->
            provenance.put("quality.fp32.accuracy", String.format(Locale.ROOT, "%.5f", value)));
    return provenance;
  }

  private Map<Bits, Double> export(
      TrainedNetwork network,
      TrainingData data,
      Map<String, String> provenance,
      Path output,
      QuantizationProgress progress)
      throws IOException {
    Path draft = output.resolveSibling(output.getFileName() + ".draft");
    try {
      new LayeredExport(network, data).write(draft, provenance);
      Map<Bits, Double> accuracies;
      ModelDescription measured;
      try (LayeredModel model = LayeredModel.open(draft)) {
        accuracies = served(model, data.test(), progress);
        measured = withQuality(model.description(), accuracies);
      }
      ArtifactWriter.describe(draft, measured, Optional.empty(), output);
      return accuracies;
    } finally {
      Files.deleteIfExists(draft);
    }
  }

  /// Share of right answers of the model as it is served.
  private Map<Bits, Double> served(LayeredModel model, Images test, QuantizationProgress progress) {
    Map<Bits, Double> accuracies = new TreeMap<>();
    List<Bits> widths = model.precisions();
    try (LayeredModel.Session session = model.newSession(run.threads())) {
      for (Bits bits : widths) {
        int right = 0;
        for (int from = 0; from < test.count(); from += TEST_BATCH) {
          progress.advanced(
              "measuring quality",
              accuracies.size() * test.count() + from,
              widths.size() * test.count());
          int size = Math.min(TEST_BATCH, test.count() - from);
          Tensor images =
              Tensor.of(
                  dev.strata.graph.Shape.of(size, test.channels(), test.height(), test.width()),
                  pixels(test, from, size));
          float[] probabilities =
              session
                  .predict(bits, Map.of("image", images))
                  .outputs()
                  .get("probabilities")
                  .toFloats();
          right += right(probabilities, test, from, size);
        }
        accuracies.put(bits, (double) right / test.count());
      }
    }
    return accuracies;
  }

  private static double accuracy(NDManager memory, TrainedNetwork network, TrainingData data) {
    Map<String, float[]> decoded = network.decode(List.of(TrainedNetwork.FLOATS));
    Images test = data.test();
    int right = 0;
    for (int from = 0; from < test.count(); from += TEST_BATCH) {
      int size = Math.min(TEST_BATCH, test.count() - from);
      try (NDManager ofBatch = memory.newSubManager()) {
        NDArray batch = batch(ofBatch, test, from, size);
        float[] logits = TorchPass.answer(network, batch, decoded, TrainedNetwork.FLOATS);
        right += right(logits, test, from, size);
      }
    }
    return (double) right / test.count();
  }

  /// Input ranges of a float network: steps so that the largest values seen just fit.
  private static void calibrate(NDManager memory, TrainedNetwork network, Images train) {
    Map<String, float[]> decoded = network.decode(List.of(TrainedNetwork.FLOATS));
    for (int from = 0; from < Math.min(train.count(), CALIBRATION_SAMPLES); from += TEST_BATCH) {
      int size = Math.min(TEST_BATCH, train.count() - from);
      try (NDManager ofBatch = memory.newSubManager()) {
        TorchPass.calibrate(network, batch(ofBatch, train, from, size), decoded);
      }
    }
  }

  static NDArray batch(NDManager memory, Images images, int from, int size) {
    return TorchEngine.array(
        memory,
        pixels(images, from, size),
        new Shape(size, images.channels(), images.height(), images.width()));
  }

  static float[] pixels(Images images, int from, int size) {
    float[] pixels = new float[size * images.size()];
    for (int i = 0; i < size; i++) {
      images.copy(from + i, 0, 0, false, pixels, i * images.size());
    }
    return pixels;
  }

  private static int right(float[] scores, Images images, int from, int size) {
    List<Integer> found = TorchPass.classes(scores, scores.length / size);
    int right = 0;
    for (int i = 0; i < size; i++) {
      right += found.get(i) == images.label(from + i) ? 1 : 0;
    }
    return right;
  }

  private static ModelDescription withQuality(
      ModelDescription description, Map<Bits, Double> accuracies) {
    List<PrecisionProfile> profiles = new ArrayList<>();
    for (PrecisionProfile profile : description.profiles()) {
      profiles.add(
          new PrecisionProfile(
              profile.bits(),
              profile.layers(),
              Map.of("accuracy", accuracies.get(profile.bits()))));
    }
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
        description.provenance());
  }

  /// Turns steps into a line of progress with loss, accuracy and the time that is left.
  private static final class Pace implements Training.Listener {
    private static final double NEW_SHARE = 0.05;

    private final QuantizationProgress progress;
    private final int first;
    private final int epochs;
    private final long startNanos = System.nanoTime();
    private long lastNanos = startNanos;
    private int steps;
    private int total;
    private double loss;
    private double right;

    Pace(QuantizationProgress progress, int first, int epochs) {
      this.progress = progress;
      this.first = first;
      this.epochs = epochs;
    }

    @Override
    public void stepped(int epoch, int step, int stepsPerEpoch, double newLoss, double newRight) {
      lastNanos = System.nanoTime();
      loss = steps == 0 ? newLoss : loss + NEW_SHARE * (newLoss - loss);
      right = steps == 0 ? newRight : right + NEW_SHARE * (newRight - right);
      steps++;
      int done = epoch * stepsPerEpoch + step;
      total = epochs * stepsPerEpoch;
      long left = Math.round(seconds() / steps * (total - done));
      progress.advanced(
          String.format(
              Locale.ROOT,
              "epoch %d/%d, loss %.3f, accuracy %.1f %%, %.2f s a step, %d s left%s",
              epoch + 1,
              epochs,
              loss,
              100 * right,
              seconds() / steps,
              left,
              first == 0 ? "" : ", resumed"),
          done,
          total);
    }

    double seconds() {
      return (lastNanos - startNanos) / 1e9;
    }

    int steps() {
      return steps;
    }

    /// Of the whole run.
    int total() {
      return total;
    }
  }
}
