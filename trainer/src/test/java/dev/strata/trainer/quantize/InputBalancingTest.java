package dev.strata.trainer.quantize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.graph.Activation;
import dev.strata.graph.DataType;
import dev.strata.graph.Layer;
import dev.strata.graph.MemoryTensors;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSource;
import dev.strata.graph.TensorSpec;
import dev.strata.plan.ExecutionContext;
import dev.strata.plan.Planner;
import dev.strata.precision.PlaneLayout;
import dev.strata.precision.PrecisionProfile;
import dev.strata.trainer.onnx.FloatModel;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class InputBalancingTest {
  private static final int COLUMNS = 128;
  private static final int ROWS = 32;
  private static final int SAMPLES = 256;

  private final RandomWeights random = new RandomWeights(21);
  private final FloatModel model = twoReaders();
  private final float[] inputs = withLoudColumns();

  @AfterEach
  void close() {
    model.close();
  }

  @Test
  void theBalancedNetworkComputesTheSame() {
    Tensor x = Tensor.of(Shape.of(SAMPLES, COLUMNS), inputs);
    InputBalancing balancing = InputBalancing.of(model, observed(), 64);
    try (FloatModel balanced = balancing.apply()) {
      assertEquals(1 + model.graph().nodes().size(), balanced.graph().nodes().size());
      float[] expected = run(model.graph(), Optional.empty(), model.tensors(), x);
      float[] found = run(balanced.graph(), Optional.empty(), balanced.tensors(), x);
      assertArrayEquals(expected, found, 1e-3f);
    }
  }

  @Test
  void balancingLowersTheErrorAtEightAndAtFourBits() {
    CalibrationData data =
        new CalibrationData(List.of(Map.of("x", Tensor.of(Shape.of(SAMPLES, COLUMNS), inputs))));
    QuantizationSettings settings =
        QuantizationSettings.defaults()
            .withKeptWide(java.util.Set.of(), java.util.Set.of())
            .withErrorCompensation(false);
    double[] plain = errors(data, settings.withBalancedInputs(false));
    double[] balanced = errors(data, settings);
    assertTrue(balanced[8] < plain[8] / 3, "%s, before %s".formatted(balanced[8], plain[8]));
    assertTrue(balanced[4] < plain[4], "%s, before %s".formatted(balanced[4], plain[4]));
  }

  private double[] errors(CalibrationData data, QuantizationSettings settings) {
    Tensor x = data.batches().getFirst().get("x");
    float[] expected = run(model.graph(), Optional.empty(), model.tensors(), x);
    LayeredNetwork network = LayeredQuantizer.quantize(model, data, settings);
    double[] errors = new double[9];
    try (var tensors = network.tensors()) {
      for (PrecisionProfile profile : network.profiles()) {
        float[] found = run(network.graph(), Optional.of(profile), tensors, x);
        for (int i = 0; i < found.length; i++) {
          errors[profile.bits().count()] += Math.pow(found[i] - expected[i], 2);
        }
      }
    }
    return errors;
  }

  private Map<String, InputStatistics> observed() {
    CalibrationData data =
        new CalibrationData(List.of(Map.of("x", Tensor.of(Shape.of(SAMPLES, COLUMNS), inputs))));
    return new Calibrator(
            data, QuantizationSettings.defaults().tuning(), QuantizationProgress.SILENT)
        .observe(model.graph(), model.tensors());
  }

  /// Gaussian columns, a few of them thirty times as large.
  private float[] withLoudColumns() {
    float[] values = new float[SAMPLES * COLUMNS];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.shift() * (i % COLUMNS % 50 == 7 ? 30 : 1);
    }
    return values;
  }

  private static float[] run(
      ModelGraph graph, Optional<PrecisionProfile> profile, TensorSource tensors, Tensor x) {
    try (Arena arena = Arena.ofShared();
        ExecutionContext context = Planner.plan(graph, profile, tensors, arena).newContext()) {
      return context.run(Map.of("x", x)).get("y").toFloats();
    }
  }

  /// y = a(x) + b(x), where the weights of loud columns are small, as trained networks have
  /// them.
  private FloatModel twoReaders() {
    MemoryTensors tensors = new MemoryTensors();
    PlaneLayout layout = PlaneLayout.perChannel(ROWS, COLUMNS, 1);
    for (String name : List.of("a", "b")) {
      float[] weights = random.matrix(ROWS, COLUMNS);
      for (int i = 0; i < weights.length; i++) {
        weights[i] /= i % COLUMNS % 50 == 7 ? 8 : 1;
      }
      tensors.put(name + ".weight", weights);
      tensors.put(name + ".bias", random.matrix(1, ROWS));
    }
    ModelGraph graph =
        new ModelGraph(
            List.of(new TensorSpec("x", DataType.FP32, Shape.of(-1, COLUMNS))),
            List.of("y"),
            List.of(
                new Node("a", new Op.Linear("a", Activation.RELU), List.of("x"), List.of("h")),
                new Node(
                    "b", new Op.Linear("b", Activation.IDENTITY), List.of("x", "h"), List.of("y"))),
            List.of(),
            List.of(
                new Layer("a", Layer.Kind.LINEAR, Layer.Storage.FLOAT, layout),
                new Layer("b", Layer.Kind.LINEAR, Layer.Storage.FLOAT, layout)));
    return new FloatModel(graph, tensors);
  }
}
