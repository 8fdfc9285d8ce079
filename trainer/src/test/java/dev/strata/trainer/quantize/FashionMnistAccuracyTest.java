package dev.strata.trainer.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.graph.ModelGraph;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSource;
import dev.strata.plan.ExecutionContext;
import dev.strata.plan.Planner;
import dev.strata.precision.PrecisionProfile;
import dev.strata.trainer.data.Idx;
import dev.strata.trainer.eval.Metrics;
import dev.strata.trainer.onnx.FloatModel;
import dev.strata.trainer.onnx.OnnxImporter;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// The embedded residual network on 2,000 real test images, from ONNX to every width.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FashionMnistAccuracyTest {
  private static final int BATCH = 50;

  private FloatModel model;
  private String input;
  private Idx images;
  private int[] labels;
  private double floatAccuracy;

  @BeforeAll
  void load() throws IOException, URISyntaxException {
    model = OnnxImporter.read(Path.of(resource("fm_resnet8.onnx").toURI()));
    input = model.graph().inputs().getFirst().name();
    images = idx("t2k-images-idx3-ubyte.gz");
    Idx classes = idx("t2k-labels-idx1-ubyte.gz");
    labels = new int[classes.samples()];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = classes.value(i, 0);
    }
    floatAccuracy = accuracy(model.graph(), Optional.empty(), model.tensors());
  }

  @AfterAll
  void close() {
    model.close();
  }

  @Test
  void theImportedNetworkIsAsGoodAsTheTrainedOne() {
    assertEquals(92.00, floatAccuracy, 0.051);
  }

  @Test
  void calibratedItStaysWithinThreeTenthsOfAPointDownToFourBits() throws IOException {
    Idx calibration = idx("calibration-images-idx3-ubyte.gz");
    List<Map<String, Tensor>> batches = new ArrayList<>();
    for (int first = 0; first < calibration.samples(); first += 32) {
      batches.add(Map.of(input, normalised(calibration, first, 32)));
    }
    double[] accuracies = accuracies(new CalibrationData(batches), QuantizationSettings.defaults());
    for (int bits = 4; bits <= 8; bits++) {
      assertTrue(
          accuracies[bits] >= floatAccuracy - 0.3,
          "%d bits: %.2f %%, floats %.2f %%".formatted(bits, accuracies[bits], floatAccuracy));
    }
    assertTrue(accuracies[3] >= 91, "3 bits: %.2f %%".formatted(accuracies[3]));
    assertTrue(accuracies[2] >= 88, "2 bits: %.2f %%".formatted(accuracies[2]));
    assertTrue(accuracies[1] >= 60, "1 bit: %.2f %%".formatted(accuracies[1]));
  }

  @Test
  void fromWeightsAloneItStaysWithinHalfAPointDownToFourBits() {
    double[] accuracies = accuracies(CalibrationData.none(), QuantizationSettings.defaults());
    for (int bits = 4; bits <= 8; bits++) {
      assertTrue(
          accuracies[bits] >= floatAccuracy - 0.5,
          "%d bits: %.2f %%, floats %.2f %%".formatted(bits, accuracies[bits], floatAccuracy));
    }
  }

  private double[] accuracies(CalibrationData calibration, QuantizationSettings settings) {
    LayeredNetwork network = LayeredQuantizer.quantize(model, calibration, settings);
    double[] accuracies = new double[9];
    try (var tensors = network.tensors()) {
      for (PrecisionProfile profile : network.profiles()) {
        accuracies[profile.bits().count()] =
            accuracy(network.graph(), Optional.of(profile), tensors);
      }
    }
    return accuracies;
  }

  /// In percent.
  private double accuracy(
      ModelGraph graph, Optional<PrecisionProfile> profile, TensorSource tensors) {
    float[][] scores = new float[images.samples()][10];
    try (Arena arena = Arena.ofShared();
        ExecutionContext context = Planner.plan(graph, profile, tensors, arena).newContext()) {
      for (int first = 0; first < scores.length; first += BATCH) {
        Map<String, Tensor> outputs = context.run(Map.of(input, normalised(images, first, BATCH)));
        float[] logits = outputs.get(graph.outputs().getFirst()).toFloats();
        for (int i = 0; i < BATCH; i++) {
          System.arraycopy(logits, i * 10, scores[first + i], 0, 10);
        }
      }
    }
    return 100 * Metrics.accuracy(scores, labels);
  }

  private static Tensor normalised(Idx images, int first, int count) {
    float[] values = new float[count * images.sampleSize()];
    for (int i = 0; i < values.length; i++) {
      int sample = first + i / images.sampleSize();
      values[i] = (images.value(sample, i % images.sampleSize()) / 255f - 0.2860f) / 0.3530f;
    }
    return Tensor.of(Shape.of(count, 1, 28, 28), values);
  }

  private static URL resource(String name) {
    String path = "/dev/strata/trainer/repository/" + name;
    return Objects.requireNonNull(FashionMnistAccuracyTest.class.getResource(path), path);
  }

  private static Idx idx(String name) throws IOException {
    try (InputStream in = resource(name).openStream()) {
      return Idx.read(in, name);
    }
  }
}
