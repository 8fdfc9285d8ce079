package dev.strata.trainer.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.strata.graph.Activation;
import dev.strata.graph.DataType;
import dev.strata.graph.Layer;
import dev.strata.graph.Op;
import dev.strata.graph.TensorSpec;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What a pass hands back, against formulas computed here in doubles.
class GradientTest {
  private static final int SAMPLES = 6;
  private static final int PIXELS = 16;
  private static final int HIDDEN = 5;
  private static final int CLASSES = 3;
  private static final float[] IMAGES = random(1, SAMPLES * PIXELS);

  /// Rounding of weights has the gradient of the identity, and no weight clips: the gradient of a
  /// float is that of the decoded weight, `(p - t)^T x / n`.
  @ParameterizedTest
  @ValueSource(ints = {8, 4, 2, 1})
  void theGradientOfAFloatWeightIsThatOfItsDecodedOne(int width) {
    GraphDraft draft = new GraphDraft();
    String flat = draft.node("flat", new Op.Flatten(1), Architecture.INPUT);
    TrainedNetwork network = network(draft, flat, PIXELS, "weights");
    float[] weights = decoded(network, "classifier", width);
    TorchPass.Outcome outcome = pass(network, width);
    float[] logits = product(IMAGES, weights, PIXELS, CLASSES);
    assertArrayEquals(logits, outcome.logits(), 1e-5f);
    float[] slopes = slopes(logits);
    float[] expected = new float[CLASSES * PIXELS];
    for (int i = 0; i < SAMPLES; i++) {
      for (int row = 0; row < CLASSES; row++) {
        for (int column = 0; column < PIXELS; column++) {
          expected[row * PIXELS + column] +=
              slopes[i * CLASSES + row] * IMAGES[i * PIXELS + column];
        }
      }
    }
    assertArrayEquals(expected, outcome.gradients().get("classifier.weight"), 1e-5f);
  }

  /// The step of an input: `round(v) - v` where `v = x / s` is inside the range of codes, the
  /// code where it clips; times `1 / sqrt(elements * most)`. What is before gets the gradient of
  /// the identity inside and none outside. (Esser et al., Learned Step Size Quantization, 2020)
  @ParameterizedTest
  @CsvSource({"RELU, 4", "RELU, 2", "IDENTITY, 4", "IDENTITY, 2", "IDENTITY, 1"})
  void theGradientOfAStepIsLsqs(Activation.Kind kind, int bits) {
    GraphDraft draft = new GraphDraft();
    String flat = draft.node("flat", new Op.Flatten(1), Architecture.INPUT);
    String h = draft.linear("hidden", PIXELS, HIDDEN, Activation.of(kind), flat);
    // Only its presence counts: without batch norms the formulas are short.
    draft.layerNorm("unused", h, HIDDEN);
    TrainedNetwork network = network(draft, h, HIDDEN, Integer.toString(bits));
    float step = 0.6f / (1 << (bits - 1));
    network.state().put(TrainedNetwork.step("hidden", 8, bits), new float[] {step});
    network.state().put("hidden.bias.8", new float[] {-0.1f, 0.2f, 0.3f, 0.1f, 0});
    TorchPass.Outcome outcome = pass(network, 8);

    int zero = network.zero("hidden", bits);
    assertEquals(kind == Activation.Kind.RELU ? 0 : (1 << (bits - 1)) - 1, zero);
    int most = (1 << bits) - 1 - zero;
    float[] values = product(IMAGES, decoded(network, "hidden", 8), PIXELS, HIDDEN);
    float[] rounded = new float[values.length];
    double[] ofStep = new double[values.length];
    boolean[] passes = new boolean[values.length];
    int inside = 0;
    for (int i = 0; i < values.length; i++) {
      float x = values[i] + network.state().get("hidden.bias.8")[i % HIDDEN];
      boolean cut = kind == Activation.Kind.RELU && x <= 0;
      double v = cut ? 0 : x / step;
      double code = Math.clamp(Math.rint(v), -zero, most);
      passes[i] = v >= -zero && v <= most && !cut;
      inside += passes[i] ? 1 : 0;
      ofStep[i] = v >= -zero && v <= most ? code - v : code;
      rounded[i] = (float) (code * step);
    }
    assertTrue(inside > 2 && inside < values.length, "both cases: %d inside".formatted(inside));
    float[] weights = decoded(network, "classifier", 8);
    float[] logits = product(rounded, weights, HIDDEN, CLASSES);
    assertArrayEquals(logits, outcome.logits(), 1e-5f);
    float[] back = backwards(slopes(logits), weights);
    double expected = 0;
    float[] ofBias = new float[HIDDEN];
    for (int i = 0; i < values.length; i++) {
      expected += back[i] * ofStep[i];
      ofBias[i % HIDDEN] += passes[i] ? back[i] : 0;
    }
    expected /= Math.sqrt(HIDDEN * most);
    String key = TrainedNetwork.step("hidden", 8, bits);
    assertEquals(expected, outcome.gradients().get(key)[0], 1e-5);
    assertArrayEquals(ofBias, outcome.gradients().get("hidden.bias.8"), 1e-5f);
  }

  @Test
  void aWidthMovesItsOwnBatchNorm() {
    GraphDraft draft = new GraphDraft();
    String flat = draft.node("flat", new Op.Flatten(1), Architecture.INPUT);
    String h = draft.linear("hidden", PIXELS, HIDDEN, Activation.RELU, flat);
    TrainedNetwork network = network(draft, h, HIDDEN, "weights");
    TorchPass.Outcome outcome = pass(network, 2);
    assertTrue(outcome.gradients().containsKey("hidden.norm.2.gamma"));
    assertFalse(outcome.gradients().containsKey("hidden.norm.8.gamma"));
    assertArrayEquals(new float[HIDDEN], network.state().get("hidden.norm.8.mean"));
    float[] sums = product(IMAGES, decoded(network, "hidden", 2), PIXELS, HIDDEN);
    float[] mean = network.state().get("hidden.norm.2.mean");
    for (int row = 0; row < HIDDEN; row++) {
      int now = row;
      double ofBatch =
          IntStream.range(0, SAMPLES).mapToDouble(i -> sums[i * HIDDEN + now]).average().orElse(0);
      assertEquals(0.1 * ofBatch, mean[row], 1e-6);
    }
  }

  /// @param features that the classifier reads
  private static TrainedNetwork network(
      GraphDraft draft, String features, int width, String activationBits) {
    draft.layer("classifier", Layer.Kind.LINEAR, CLASSES, width);
    draft.node(Architecture.LOGITS, new Op.Linear("classifier", Activation.IDENTITY), features);
    TensorSpec input =
        new TensorSpec(Architecture.INPUT, DataType.FP32, dev.strata.graph.Shape.of(-1, 1, 4, 4));
    RunFile run =
        RunFile.parse(
            "name: a\nprotect: []\nwidths: [8, 4, 2, 1]\nactivation-bits: " + activationBits);
    return new TrainedNetwork(draft.finish(input, Architecture.LOGITS), run);
  }

  private static TorchPass.Outcome pass(TrainedNetwork network, int width) {
    try (NDManager memory = TorchEngine.start(1)) {
      return TorchPass.train(
          network,
          TorchEngine.array(memory, IMAGES, new Shape(SAMPLES, 1, 4, 4)),
          TorchEngine.array(memory, targets(), new Shape(SAMPLES, CLASSES)),
          network.decode(List.of(width)),
          width);
    }
  }

  private static float[] decoded(TrainedNetwork network, String layer, int width) {
    Map<String, float[]> decoded = network.decode(List.of(width));
    return decoded.get(TrainedNetwork.decodedName(network.graph().layer(layer), width));
  }

  private static float[] targets() {
    float[] targets = new float[SAMPLES * CLASSES];
    for (int i = 0; i < SAMPLES; i++) {
      targets[i * CLASSES + i % CLASSES] = 1;
    }
    return targets;
  }

  /// `[SAMPLES][columns]` times the transpose of `[rows][columns]`.
  private static float[] product(float[] x, float[] weights, int columns, int rows) {
    float[] y = new float[SAMPLES * rows];
    for (int i = 0; i < y.length; i++) {
      double sum = 0;
      for (int column = 0; column < columns; column++) {
        sum += (double) x[i / rows * columns + column] * weights[i % rows * columns + column];
      }
      y[i] = (float) sum;
    }
    return y;
  }

  /// Of the mean cross entropy by the logits.
  private static float[] slopes(float[] logits) {
    float[] slopes = Training.softmax(logits, CLASSES);
    float[] targets = targets();
    for (int i = 0; i < slopes.length; i++) {
      slopes[i] = (slopes[i] - targets[i]) / SAMPLES;
    }
    return slopes;
  }

  private static float[] backwards(float[] slopes, float[] weights) {
    float[] back = new float[SAMPLES * HIDDEN];
    for (int i = 0; i < back.length; i++) {
      for (int row = 0; row < CLASSES; row++) {
        back[i] += slopes[i / HIDDEN * CLASSES + row] * weights[row * HIDDEN + i % HIDDEN];
      }
    }
    return back;
  }

  /// Multiples of 1/255, as pixels are.
  private static float[] random(long seed, int count) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextInt(256) / 255f;
    }
    return values;
  }
}
