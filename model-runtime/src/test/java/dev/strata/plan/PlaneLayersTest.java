package dev.strata.plan;

import static dev.strata.graph.DataType.FP32;
import static dev.strata.graph.DataType.INT64;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.graph.Activation;
import dev.strata.graph.Layer;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.precision.ActivationQuantizer;
import dev.strata.precision.CascadeView;
import dev.strata.precision.PlaneLayout;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Layers in planes against their formulas.
class PlaneLayersTest {
  private static final ActivationQuantizer PER_GROUP = new ActivationQuantizer.PerGroup();
  private static final ActivationQuantizer PER_SAMPLE = new ActivationQuantizer.PerSample();

  @Test
  void linearFollowsItsFormulaToTheLastBit() {
    for (int planes : List.of(1, 3, 8)) {
      for (int rows : List.of(1, 11)) {
        try (TestGraph graph = new TestGraph(planes)) {
          PlaneLayout layout = new PlaneLayout(21, 100, 64, 1);
          graph
              .input("x", FP32, -1, 100)
              .input("r", FP32, -1, 21)
              .planeLayer("fc", Layer.Kind.LINEAR, layout, planes, PER_GROUP)
              .node(new Op.Linear("fc", Activation.RELU), List.of("x", "r"), "y");
          Tensor x = graph.tensor(rows, 100);
          Tensor r = graph.tensor(rows, 21);
          float[] expected = linear(graph.view("fc"), x.toFloats(), r.toFloats(), rows);
          assertArrayEquals(expected, graph.run("y", Map.of("x", x, "r", r)).toFloats());
        }
      }
    }
  }

  /// strata.h's definition of the matrix product, with a scale per row and group, and ReLU.
  private static float[] linear(CascadeView view, float[] x, float[] residual, int rows) {
    PlaneLayout layout = view.layout();
    int centre = 256 - (1 << (8 - view.bits().count()));
    float[] scales = Reference.floats(view.scale());
    float[] shifts = Reference.floats(view.offset());
    float[] y = new float[rows * layout.rows()];
    for (int m = 0; m < rows; m++) {
      for (int c = 0; c < layout.rows(); c++) {
        float scaled = 0;
        float offsets = 0;
        for (int g = 0; g < layout.groups(); g++) {
          int product = 0;
          int sum = 0;
          int end = Math.min((g + 1) * layout.groupSize(), layout.columns());
          float largest = 0;
          for (int j = g * layout.groupSize(); j < end; j++) {
            largest = Math.max(largest, Math.abs(x[m * layout.columns() + j]));
          }
          for (int j = g * layout.groupSize(); j < end; j++) {
            int q = (int) Math.rint(x[m * layout.columns() + j] * (127 / largest));
            product += view.planes().code(c, j) * q;
            sum += q;
          }
          long at = ((long) c / 16 * layout.groups() + g) * 32 + c % 16;
          float ns = Byte.toUnsignedInt(view.groups().get(JAVA_BYTE, at));
          float nb = view.groups().get(JAVA_BYTE, at + 16);
          scaled = Math.fma(ns, largest / 127 * (2 * product - centre * sum), scaled);
          offsets = Math.fma(nb, largest / 127 * sum, offsets);
        }
        float scale = scales[c];
        float offset = shifts[c];
        float t = Math.fma(scale, scaled, offset * offsets);
        float row = t + view.bias(c) + residual[m * layout.rows() + c];
        y[m * layout.rows() + c] = Math.max(row, 0);
      }
    }
    return y;
  }

  @Test
  void staticQuantizersWithAZeroPointEqualTheDequantizedProduct() {
    for (ActivationQuantizer.PerTensor by :
        List.of(
            new ActivationQuantizer.PerTensor(8, 0.01f, 3),
            new ActivationQuantizer.PerTensor(5, 0.06f, 17),
            new ActivationQuantizer.PerTensor(2, 0.6f, 2),
            new ActivationQuantizer.PerTensor(1, 1.5f, 0))) {
      for (int planes : List.of(1, 2, 5)) {
        try (TestGraph graph = new TestGraph(31)) {
          PlaneLayout layout = new PlaneLayout(18, 70, 32, 1);
          graph
              .input("x", FP32, -1, 70)
              .planeLayer("fc", Layer.Kind.LINEAR, layout, planes, by)
              .node(new Op.Linear("fc", Activation.IDENTITY), List.of("x"), "y");
          ExecutablePlan plan = graph.plan("y");
          Tensor x = graph.tensor(10, 70);
          try (ExecutionContext context = plan.newContext()) {
            assertEquals(
                by.bits() * planes <= 4 ? "bitserial" : "block",
                context.describe(List.of(x.shape())).steps().getLast().path());
          }
          Tensor as = Tensor.of(Shape.of(10, 1, 1, 70), dequantized(x, by));
          CascadeView view = graph.view("fc");
          float[] expected =
              Reference.conv(
                  as,
                  new Op.Window(1, 1, 1, 1, 1, 1, 0, 0, 0, 0),
                  1,
                  18,
                  0,
                  view::weight,
                  biases(view));
          assertClose(expected, graph.run("y", Map.of("x", x)).toFloats(), by + " " + planes);
        }
      }
    }
  }

  @Test
  void convolutionsEqualTheDequantizedConvolution() {
    record Case(
        Layer.Kind kind, int channels, int out, int groups, ActivationQuantizer by, int planes) {}
    ActivationQuantizer wide = new ActivationQuantizer.PerTensor(8, 0.01f, -7);
    ActivationQuantizer narrow = new ActivationQuantizer.PerTensor(2, 0.6f, 1);
    List<Case> cases =
        List.of(
            new Case(Layer.Kind.CONV, 3, 20, 1, wide, 4),
            new Case(Layer.Kind.CONV, 8, 6, 2, wide, 2),
            new Case(Layer.Kind.CONV, 16, 6, 1, narrow, 2),
            new Case(Layer.Kind.CONV, 8, 20, 2, narrow, 1),
            new Case(Layer.Kind.CONV, 64, 20, 2, narrow, 2),
            new Case(Layer.Kind.CONV, 32, 18, 1, narrow, 1),
            new Case(Layer.Kind.CONV, 64, 8, 2, PER_SAMPLE, 5),
            new Case(Layer.Kind.DEPTHWISE, 19, 19, 19, wide, 3),
            new Case(Layer.Kind.DEPTHWISE, 16, 16, 16, PER_SAMPLE, 8));
    Op.Window window = new Op.Window(3, 3, 2, 1, 1, 1, 1, 1, 0, 1);
    for (Case c : cases) {
      try (TestGraph graph = new TestGraph(32)) {
        boolean depthwise = c.kind() == Layer.Kind.DEPTHWISE;
        int columns = 9 * c.channels() / c.groups();
        graph
            .input("x", FP32, -1, -1, -1, c.channels())
            .planeLayer(
                "cv",
                c.kind(),
                PlaneLayout.perChannel(c.out(), columns, depthwise ? 1 : c.groups()),
                c.planes(),
                c.by())
            .node(new Op.Conv("cv", window, c.groups(), Activation.IDENTITY), List.of("x"), "y");
        Tensor x = graph.tensor(2, 7, 6, c.channels());
        CascadeView view = graph.view("cv");
        float[] expected =
            Reference.conv(
                Tensor.of(x.shape(), dequantized(x, c.by())),
                window,
                c.groups(),
                c.out(),
                0,
                view::weight,
                biases(view));
        assertClose(expected, graph.run("y", Map.of("x", x)).toFloats(), c.toString());
      }
    }
  }

  @Test
  void depthwiseChannelsHaveRangesOfTheirOwn() {
    int channels = 19;
    Op.Window window = new Op.Window(3, 3, 2, 1, 1, 1, 1, 1, 0, 1);
    for (int planes : List.of(1, 4, 8)) {
      try (TestGraph graph = new TestGraph(35)) {
        float[] scales = new float[channels];
        float[] zeros = new float[channels];
        for (int c = 0; c < channels; c++) {
          scales[c] = 0.001f * (1 << c % 7);
          zeros[c] = 37 * c % 256 - 128;
        }
        graph
            .input("x", FP32, -1, -1, -1, channels)
            .planeLayer(
                "cv",
                Layer.Kind.DEPTHWISE,
                PlaneLayout.perChannel(channels, 9, 1),
                planes,
                new ActivationQuantizer.PerChannel())
            .inputScales("cv", scales, zeros)
            .node(new Op.Conv("cv", window, channels, Activation.RELU), List.of("x"), "y");
        Tensor x = graph.tensor(2, 7, 6, channels);
        float[] seen = x.toFloats();
        for (int i = 0; i < seen.length; i++) {
          int c = i % channels;
          double code = Math.rint(seen[i] * (1 / scales[c])) + zeros[c];
          seen[i] = (float) (scales[c] * (Math.clamp(code, -128, 127) - zeros[c]));
        }
        CascadeView view = graph.view("cv");
        float[] expected =
            Reference.conv(
                Tensor.of(x.shape(), seen),
                window,
                channels,
                channels,
                0,
                view::weight,
                biases(view));
        for (int i = 0; i < expected.length; i++) {
          expected[i] = Math.max(expected[i], 0);
        }
        assertClose(expected, graph.run("y", Map.of("x", x)).toFloats(), planes + " planes");
      }
    }
  }

  @Test
  void scalesOfChannelsThatAreNoneAreRefusedByName() {
    float[][] scales = {{0, 3}, {Float.NaN, 3}, {1, 128}, {1, 0.5f}};
    for (float[] wrong : scales) {
      try (TestGraph graph = new TestGraph(36)) {
        graph
            .input("x", FP32, -1, -1, -1, 1)
            .planeLayer(
                "cv",
                Layer.Kind.DEPTHWISE,
                PlaneLayout.perChannel(1, 1, 1),
                8,
                new ActivationQuantizer.PerChannel())
            .inputScales("cv", new float[] {wrong[0]}, new float[] {wrong[1]})
            .node(
                new Op.Conv(
                    "cv", new Op.Window(1, 1, 1, 1, 1, 1, 0, 0, 0, 0), 1, Activation.IDENTITY),
                List.of("x"),
                "y");
        var failure = assertThrows(IllegalArgumentException.class, () -> graph.plan("y"));
        assertTrue(failure.getMessage().contains("'cv.input', channel 0"), failure::getMessage);
      }
    }
  }

  @Test
  void embeddingGivesTheDequantizedRows() {
    try (TestGraph graph = new TestGraph(33)) {
      PlaneLayout layout = new PlaneLayout(50, 40, 32, 1);
      graph
          .input("ids", INT64, -1)
          .planeLayer("table", Layer.Kind.EMBEDDING, layout, 3, PER_GROUP)
          .node(new Op.Embedding("table"), List.of("ids"), "y");
      Tensor ids = Tensor.of(Shape.of(3), new long[] {49, 0, 17});
      float[] y = graph.run("y", Map.of("ids", ids)).toFloats();
      CascadeView view = graph.view("table");
      for (int i = 0; i < y.length; i++) {
        assertEquals(view.weight((int) ids.toLongs()[i / 40], i % 40), y[i]);
      }
      Tensor wrong = Tensor.of(Shape.of(1), new long[] {-1});
      var failure =
          assertThrows(IllegalArgumentException.class, () -> graph.run("y", Map.of("ids", wrong)));
      assertTrue(failure.getMessage().contains("got id -1"), failure::getMessage);
    }
  }

  @Test
  void quantizersThatDoNotFitTheLayerAreRefusedByName() {
    try (TestGraph graph = new TestGraph(34)) {
      graph
          .input("x", FP32, -1, 32)
          .planeLayer("fc", Layer.Kind.LINEAR, PlaneLayout.perChannel(4, 32, 1), 4, PER_SAMPLE)
          .node(new Op.Linear("fc", Activation.IDENTITY), List.of("x"), "y");
      var failure = assertThrows(IllegalArgumentException.class, () -> graph.plan("y"));
      assertTrue(failure.getMessage().contains("layer 'fc'"), failure::getMessage);
    }
  }

  /// The values that the codes of x stand for.
  private static float[] dequantized(Tensor x, ActivationQuantizer by) {
    float[] values = x.toFloats();
    float[] given = x.toFloats();
    int sample = values.length / (int) x.shape().dim(0);
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (by) {
            case ActivationQuantizer.PerTensor tensor -> {
              int low = tensor.bits() == 8 ? -128 : 0;
              double code = Math.rint(values[i] * (1 / tensor.scale())) + tensor.zeroPoint();
              code = Math.clamp(code, low, low + (1 << tensor.bits()) - 1);
              yield (float) (tensor.scale() * (code - tensor.zeroPoint()));
            }
            case ActivationQuantizer.PerChannel _ -> throw new IllegalArgumentException("static");
            case ActivationQuantizer.PerSample _, ActivationQuantizer.PerGroup _ -> {
              float largest = 0;
              for (int j = i / sample * sample; j < (i / sample + 1) * sample; j++) {
                largest = Math.max(largest, Math.abs(given[j]));
              }
              yield (float) Math.rint(values[i] * (127 / largest)) * (largest / 127);
            }
          };
    }
    return values;
  }

  private static float[] biases(CascadeView view) {
    float[] biases = new float[view.layout().rows()];
    for (int row = 0; row < biases.length; row++) {
      biases[row] = view.bias(row);
    }
    return biases;
  }

  private static void assertClose(float[] expected, float[] got, String what) {
    float largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    assertArrayEquals(expected, got, 1e-5f * largest, what);
  }
}
