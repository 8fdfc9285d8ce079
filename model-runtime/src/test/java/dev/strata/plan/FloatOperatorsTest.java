package dev.strata.plan;

import static dev.strata.graph.DataType.FP32;
import static dev.strata.graph.DataType.INT64;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.graph.Activation;
import dev.strata.graph.DataType;
import dev.strata.graph.Layer;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Each operator on floats against loops that follow its definition.
class FloatOperatorsTest {
  private static final float TOLERANCE = 1e-5f;

  private static final Op.Window SAME3 = new Op.Window(3, 3, 1, 1, 1, 1, 1, 1, 1, 1);

  @Test
  void linearAddsResidualAndBiasBeforeItsActivation() {
    try (TestGraph graph = new TestGraph(1)) {
      graph
          .input("x", FP32, -1, -1, 20)
          .input("r", FP32, -1, -1, 7)
          .floatLayer("fc", Layer.Kind.LINEAR, 7, 20, 1)
          .node(new Op.Linear("fc", Activation.RELU), List.of("x", "r"), "y");
      Tensor x = graph.tensor(2, 3, 20);
      Tensor r = graph.tensor(2, 3, 7);
      float[] w = Reference.floats(graph.tensors.get("fc.weight"));
      float[] b = Reference.floats(graph.tensors.get("fc.bias"));
      float[] expected = new float[6 * 7];
      for (int m = 0; m < 6; m++) {
        for (int c = 0; c < 7; c++) {
          float sum = 0;
          for (int j = 0; j < 20; j++) {
            sum = Math.fma(x.toFloats()[m * 20 + j], w[c * 20 + j], sum);
          }
          expected[m * 7 + c] = Math.max(0, sum + b[c] + r.toFloats()[m * 7 + c]);
        }
      }
      Tensor y = graph.run("y", Map.of("x", x, "r", r));
      assertEquals(Shape.of(2, 3, 7), y.shape());
      assertArrayEquals(expected, y.toFloats(), TOLERANCE);
    }
  }

  @Test
  void convolutionsOfEveryKindFollowTheDefinition() {
    record Case(int channels, int out, int groups, Op.Window window, int height, int width) {}
    List<Case> cases =
        List.of(
            new Case(3, 5, 1, SAME3, 6, 7),
            new Case(8, 6, 2, new Op.Window(3, 2, 2, 1, 1, 2, 1, 0, 0, 1), 9, 8),
            new Case(16, 5, 1, new Op.Window(1, 1, 1, 1, 1, 1, 0, 0, 0, 0), 4, 5),
            new Case(4, 4, 4, new Op.Window(3, 3, 2, 2, 1, 1, 1, 1, 1, 1), 7, 9),
            // unrolled in several runs
            new Case(64, 4, 1, SAME3, 40, 40));
    for (Case c : cases) {
      try (TestGraph graph = new TestGraph(2)) {
        int taps = c.window().kernelHeight() * c.window().kernelWidth();
        boolean depthwise = c.groups() == c.channels();
        graph
            .input("x", FP32, -1, -1, -1, c.channels())
            .floatLayer(
                "cv",
                depthwise ? Layer.Kind.DEPTHWISE : Layer.Kind.CONV,
                c.out(),
                taps * c.channels() / c.groups(),
                depthwise ? 1 : c.groups())
            .node(new Op.Conv("cv", c.window(), c.groups(), Activation.RELU), List.of("x"), "y");
        Tensor x = graph.tensor(2, c.height(), c.width(), c.channels());
        Tensor y = graph.run("y", Map.of("x", x));
        float[] expected =
            Reference.conv(
                x,
                c.window(),
                c.groups(),
                c.out(),
                0,
                Reference.matrix(graph.tensors.get("cv.weight"), c.out()),
                Reference.floats(graph.tensors.get("cv.bias")));
        for (int i = 0; i < expected.length; i++) {
          expected[i] = Math.max(0, expected[i]);
        }
        assertArrayEquals(expected, y.toFloats(), 1e-4f, c.toString());
      }
    }
  }

  @Test
  void convolutionAddsAResidualOfItsOutputShape() {
    try (TestGraph graph = new TestGraph(3)) {
      graph
          .input("x", FP32, -1, 5, 5, 4)
          .floatLayer("cv", Layer.Kind.CONV, 4, 36, 1)
          .node(new Op.Conv("cv", SAME3, 1, Activation.IDENTITY), List.of("x"), "plain")
          .node(new Op.Conv("cv", SAME3, 1, Activation.IDENTITY), List.of("x", "x"), "added");
      Tensor x = graph.tensor(2, 5, 5, 4);
      try (ExecutionContext context = graph.plan("plain", "added").newContext()) {
        Map<String, Tensor> y = context.run(Map.of("x", x));
        float[] expected = y.get("plain").toFloats();
        for (int i = 0; i < expected.length; i++) {
          expected[i] += x.toFloats()[i];
        }
        assertArrayEquals(expected, y.get("added").toFloats(), TOLERANCE);
      }
    }
  }

  @Test
  void embeddingPicksRowsAndRefusesIdsOutsideItsTable() {
    try (TestGraph graph = new TestGraph(4)) {
      graph
          .input("ids", INT64, -1, -1)
          .floatLayer("table", Layer.Kind.EMBEDDING, 9, 4, 1)
          .node(new Op.Embedding("table"), List.of("ids"), "y");
      float[] table = Reference.floats(graph.tensors.get("table.weight"));
      Tensor ids = Tensor.of(Shape.of(1, 3), new long[] {8, 0, 5});
      Tensor y = graph.run("y", Map.of("ids", ids));
      assertEquals(Shape.of(1, 3, 4), y.shape());
      for (int i = 0; i < 12; i++) {
        assertEquals(table[(int) ids.toLongs()[i / 4] * 4 + i % 4], y.toFloats()[i]);
      }
      Tensor wrong = Tensor.of(Shape.of(1, 1), new long[] {9});
      var failure =
          assertThrows(IllegalArgumentException.class, () -> graph.run("y", Map.of("ids", wrong)));
      assertTrue(failure.getMessage().contains("got id 9, expected 0 to 8"), failure::getMessage);
    }
  }

  @Test
  void matrixProductBroadcastsItsBatch() {
    long[][][] cases = {
      {{2, 3, 4, 5}, {2, 3, 5, 6}},
      {{4, 5}, {5, 6}},
      {{7, 4, 5}, {5, 6}},
      {{4, 5}, {3, 5, 6}},
      {{2, 1, 4, 5}, {1, 3, 5, 6}},
      {{5}, {3, 5, 2}},
      {{3, 2, 5}, {5}},
      {{5}, {5}},
    };
    for (long[][] shapes : cases) {
      try (TestGraph graph = new TestGraph(5)) {
        graph
            .input("a", FP32, shapes[0])
            .input("b", FP32, shapes[1])
            .node(new Op.MatMul(), List.of("a", "b"), "y");
        Tensor a = graph.tensor(shapes[0]);
        Tensor b = graph.tensor(shapes[1]);
        Tensor y = graph.run("y", Map.of("a", a, "b", b));
        assertArrayEquals(Reference.matMul(a, b), y.toFloats(), TOLERANCE, y.shape().toString());
      }
    }
  }

  @Test
  void matrixProductReadsTransposedOperandsWhereTheyLie() {
    List<List<Integer>> orders =
        List.of(
            List.of(0, 1, 2, 3),
            List.of(0, 2, 1, 3),
            List.of(0, 2, 3, 1),
            List.of(1, 0, 3, 2),
            List.of(3, 2, 1, 0),
            List.of(2, 3, 0, 1));
    for (List<Integer> left : orders) {
      for (List<Integer> right : orders) {
        try (TestGraph graph = new TestGraph(20)) {
          // Sizes of the transposed operands: 2 x 3 matrices of 4 x 5, and of 5 x 6.
          graph
              .input("a", FP32, untransposed(left, 2, 3, 4, 5))
              .input("b", FP32, untransposed(right, 2, 3, 5, 6))
              .node(new Op.Transpose(left), List.of("a"), "at")
              .node(new Op.Transpose(right), List.of("b"), "bt")
              .node(new Op.MatMul(), List.of("at", "bt"), "y");
          Tensor a = graph.tensor(untransposed(left, 2, 3, 4, 5));
          Tensor b = graph.tensor(untransposed(right, 2, 3, 5, 6));
          try (ExecutionContext context = graph.plan("y", "at", "bt").newContext()) {
            Map<String, Tensor> all = context.run(Map.of("a", a, "b", b));
            float[] y = graph.run("y", Map.of("a", a, "b", b)).toFloats();
            assertArrayEquals(all.get("y").toFloats(), y);
            assertArrayEquals(
                Reference.matMul(all.get("at"), all.get("bt")), y, TOLERANCE, left + " " + right);
          }
        }
      }
    }
  }

  private static long[] untransposed(List<Integer> order, long... dims) {
    long[] before = new long[dims.length];
    for (int i = 0; i < dims.length; i++) {
      before[order.get(i)] = dims[i];
    }
    return before;
  }

  @Test
  void binaryAndWhereBroadcastBothSides() {
    try (TestGraph graph = new TestGraph(6)) {
      graph
          .input("a", FP32, 2, 1, 4)
          .input("b", FP32, 3, 1)
          .input("c", INT64, 3, 4)
          .constant("zero", new float[] {0}, 1)
          .node(new Op.Binary(Op.Binary.Function.SUB), List.of("a", "b"), "d")
          .node(new Op.Where(), List.of("c", "d", "zero"), "y");
      Tensor a = graph.tensor(2, 1, 4);
      Tensor b = graph.tensor(3, 1);
      Tensor c = Tensor.of(Shape.of(3, 4), new long[] {1, 0, 0, 2, -1, 0, 1, 1, 0, 0, 0, 1});
      Tensor y = graph.run("y", Map.of("a", a, "b", b, "c", c));
      assertEquals(Shape.of(2, 3, 4), y.shape());
      for (int i = 0; i < 24; i++) {
        float difference = a.toFloats()[i / 12 * 4 + i % 4] - b.toFloats()[i / 4 % 3];
        assertEquals(c.toLongs()[i % 12] != 0 ? difference : 0, y.toFloats()[i]);
      }
    }
  }

  @Test
  void softmaxRunsOverAnyAxis() {
    try (TestGraph graph = new TestGraph(7)) {
      graph
          .input("x", FP32, 2, 5, 3)
          .node(new Op.Softmax(1), List.of("x"), "middle")
          .node(new Op.Softmax(-1), List.of("x"), "last");
      Tensor x = graph.tensor(2, 5, 3);
      try (ExecutionContext context = graph.plan("middle", "last").newContext()) {
        Map<String, Tensor> y = context.run(Map.of("x", x));
        assertArrayEquals(Reference.softmax(x, 2, 5, 3), y.get("middle").toFloats(), TOLERANCE);
        assertArrayEquals(Reference.softmax(x, 10, 3, 1), y.get("last").toFloats(), TOLERANCE);
      }
    }
  }

  @Test
  void layerNormCentresAndScalesTheLastAxis() {
    try (TestGraph graph = new TestGraph(8)) {
      graph
          .input("x", FP32, -1, 37)
          .constant("scale", graph.floats(37), 37)
          .constant("bias", graph.floats(37), 37)
          .node(new Op.LayerNorm(1e-5f), List.of("x", "scale", "bias"), "y");
      Tensor x = graph.tensor(4, 37);
      float[] scale = Reference.floats(graph.tensors.get("scale"));
      float[] bias = Reference.floats(graph.tensors.get("bias"));
      float[] expected = new float[4 * 37];
      for (int row = 0; row < 4; row++) {
        double mean = 0;
        double square = 0;
        for (int i = 0; i < 37; i++) {
          mean += x.toFloats()[row * 37 + i] / 37.0;
        }
        for (int i = 0; i < 37; i++) {
          square += Math.pow(x.toFloats()[row * 37 + i] - mean, 2) / 37;
        }
        for (int i = 0; i < 37; i++) {
          expected[row * 37 + i] =
              (float)
                  ((x.toFloats()[row * 37 + i] - mean) / Math.sqrt(square + 1e-5) * scale[i]
                      + bias[i]);
        }
      }
      assertArrayEquals(expected, graph.run("y", Map.of("x", x)).toFloats(), TOLERANCE);
    }
  }

  @Test
  void reductionsTakeAnyAxes() {
    List<List<Integer>> axes =
        List.of(List.of(-1), List.of(1), List.of(1, 2), List.of(0, 2), List.of(), List.of(0));
    for (List<Integer> over : axes) {
      for (Op.Reduce.Reduction kind : Op.Reduce.Reduction.values()) {
        try (TestGraph graph = new TestGraph(9)) {
          Op.Reduce reduce = new Op.Reduce(kind, over, true);
          graph.input("x", FP32, 2, 3, 4).node(reduce, List.of("x"), "y");
          Tensor x = graph.tensor(2, 3, 4);
          assertArrayEquals(
              dev.strata.graph.ConstantFolding.evaluate(reduce, List.of(x))
                  .orElseThrow()
                  .get(0)
                  .toFloats(),
              graph.run("y", Map.of("x", x)).toFloats(),
              TOLERANCE,
              reduce.toString());
        }
      }
    }
  }

  @Test
  void poolingSkipsOrCountsItsPadding() {
    Op.Window window = new Op.Window(3, 3, 2, 2, 1, 1, 1, 1, 1, 1);
    for (boolean counted : List.of(true, false)) {
      try (TestGraph graph = new TestGraph(10)) {
        graph
            .input("x", FP32, 1, -1, -1, 2)
            .node(
                new Op.Pool(Op.Pool.Pooling.AVERAGE, window, false, counted), List.of("x"), "mean")
            .node(new Op.Pool(Op.Pool.Pooling.MAX, window, true, counted), List.of("x"), "max");
        Tensor x = graph.tensor(1, 6, 7, 2);
        try (ExecutionContext context = graph.plan("mean", "max").newContext()) {
          Map<String, Tensor> y = context.run(Map.of("x", x));
          assertEquals(Shape.of(1, 3, 4, 2), y.get("mean").shape());
          assertEquals(Shape.of(1, 4, 4, 2), y.get("max").shape());
          for (int oh = 0; oh < 3; oh++) {
            for (int ow = 0; ow < 4; ow++) {
              for (int c = 0; c < 2; c++) {
                float sum = 0;
                int taps = 0;
                for (int h = 2 * oh - 1; h <= 2 * oh + 1; h++) {
                  for (int w = 2 * ow - 1; w <= 2 * ow + 1; w++) {
                    if (h >= 0 && h < 6 && w >= 0 && w < 7) {
                      sum += x.toFloats()[(h * 7 + w) * 2 + c];
                      taps++;
                    }
                  }
                }
                assertEquals(
                    sum / (counted ? 9 : taps),
                    y.get("mean").toFloats()[(oh * 4 + ow) * 2 + c],
                    TOLERANCE);
              }
            }
          }
        }
      }
    }
  }

  @Test
  void movingElementsEqualsItsEvaluationOnTheHost() {
    Op.Transpose transpose = new Op.Transpose(List.of(2, 0, 3, 1));
    Map<String, Op> single =
        Map.of(
            "transpose", transpose,
            "flatten", new Op.Flatten(2),
            "unsqueeze", new Op.Unsqueeze(List.of(0, -1)));
    for (Op op : single.values()) {
      try (TestGraph graph = new TestGraph(11)) {
        graph.input("x", FP32, -1, -1, -1, -1).node(op, List.of("x"), "y");
        requireAsOnHost(graph, op, List.of(graph.tensor(2, 3, 4, 5)), List.of());
      }
    }
    try (TestGraph graph = new TestGraph(12)) {
      Op.Concat concat = new Op.Concat(1);
      graph
          .input("x", FP32, 2, -1, 3)
          .constant("k", graph.floats(12), 2, 2, 3)
          .node(concat, List.of("x", "k", "x"), "y");
      requireAsOnHost(graph, concat, List.of(graph.tensor(2, 5, 3)), List.of("k", "x"));
    }
    for (long[] slice :
        new long[][] {{1, 4, 1, 1}, {-1, Long.MIN_VALUE, 2, -2}, {0, Long.MAX_VALUE, -1, 3}}) {
      try (TestGraph graph = new TestGraph(13)) {
        graph
            .input("x", FP32, 2, 6, 7)
            .constant("s", new long[] {slice[0]}, 1)
            .constant("e", new long[] {slice[1]}, 1)
            .constant("a", new long[] {slice[2]}, 1)
            .constant("t", new long[] {slice[3]}, 1)
            .node(new Op.Slice(), List.of("x", "s", "e", "a", "t"), "y");
        requireAsOnHost(
            graph, new Op.Slice(), List.of(graph.tensor(2, 6, 7)), List.of("s", "e", "a", "t"));
      }
    }
    for (Op.Pad.Filling filling : Op.Pad.Filling.values()) {
      try (TestGraph graph = new TestGraph(14)) {
        Op.Pad pad = new Op.Pad(filling, 0.5f);
        graph
            .input("x", FP32, 2, 4, 5)
            .constant("pads", new long[] {0, 1, 2, 0, 3, -1}, 6)
            .node(pad, List.of("x", "pads"), "y");
        requireAsOnHost(graph, pad, List.of(graph.tensor(2, 4, 5)), List.of("pads"));
      }
    }
    try (TestGraph graph = new TestGraph(15)) {
      graph
          .input("x", FP32, 3, 1)
          .constant("to", new long[] {2, 1, 4}, 3)
          .node(new Op.Expand(), List.of("x", "to"), "y");
      requireAsOnHost(graph, new Op.Expand(), List.of(graph.tensor(3, 1)), List.of("to"));
    }
    try (TestGraph graph = new TestGraph(16)) {
      Op.Gather gather = new Op.Gather(1);
      graph
          .input("x", FP32, 3, 5, 2)
          .constant("i", new long[] {4, -5, 1, 1}, 2, 2)
          .node(gather, List.of("x", "i"), "y");
      requireAsOnHost(graph, gather, List.of(graph.tensor(3, 5, 2)), List.of("i"));
    }
  }

  /// The output y equals the folded one; the first input is x, the rest are named.
  private static void requireAsOnHost(TestGraph graph, Op op, List<Tensor> x, List<String> others) {
    ExecutablePlan plan = graph.plan("y");
    List<Tensor> all = new java.util.ArrayList<>(x);
    others.forEach(name -> all.add(name.equals("x") ? x.get(0) : plan.constants().get(name)));
    Tensor expected = dev.strata.graph.ConstantFolding.evaluate(op, all).orElseThrow().get(0);
    Tensor y = graph.run("y", Map.of("x", x.get(0)));
    assertEquals(expected.shape(), y.shape(), op.toString());
    assertArrayEquals(expected.toFloats(), y.toFloats(), op.toString());
  }

  @Test
  void splitGivesEqualPartsOfTheAxis() {
    try (TestGraph graph = new TestGraph(17)) {
      graph.input("x", FP32, 2, 6).node(new Op.Split(1, List.of()), List.of("x"), "a", "b", "c");
      Tensor x = graph.tensor(2, 6);
      float[] middle = graph.run("b", Map.of("x", x)).toFloats();
      assertArrayEquals(
          new float[] {x.toFloats()[2], x.toFloats()[3], x.toFloats()[8], x.toFloats()[9]}, middle);
    }
  }

  @Test
  void resizeBlendsNeighboursOrTakesTheNearest() {
    try (TestGraph graph = new TestGraph(18)) {
      graph
          .input("x", FP32, 1, 2, 2, 1)
          .constant("sizes", new long[] {2, 4}, 2)
          .node(
              new Op.Resize(
                  Op.Resize.Interpolation.LINEAR,
                  Op.Resize.Coordinates.HALF_PIXEL,
                  Op.Resize.Rounding.FLOOR,
                  List.of()),
              List.of("x", "sizes"),
              "linear")
          .node(
              new Op.Resize(
                  Op.Resize.Interpolation.NEAREST,
                  Op.Resize.Coordinates.ASYMMETRIC,
                  Op.Resize.Rounding.FLOOR,
                  List.of(2f, 2f)),
              List.of("x"),
              "nearest");
      Tensor x = Tensor.of(Shape.of(1, 2, 2, 1), new float[] {1, 2, 3, 4});
      try (ExecutionContext context = graph.plan("linear", "nearest").newContext()) {
        Map<String, Tensor> y = context.run(Map.of("x", x));
        assertArrayEquals(
            new float[] {1, 1.25f, 1.75f, 2, 3, 3.25f, 3.75f, 4}, y.get("linear").toFloats());
        assertArrayEquals(
            new float[] {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4},
            y.get("nearest").toFloats());
      }
    }
  }

  @Test
  void tokenIdsMayBeComparedCastAndFilled() {
    try (TestGraph graph = new TestGraph(19)) {
      graph
          .input("ids", INT64, -1, -1)
          .constant("pad", new long[] {0}, 1)
          .node(new Op.Binary(Op.Binary.Function.EQUAL), List.of("ids", "pad"), "padded")
          .node(new Op.Cast(DataType.BOOL), List.of("ids"), "real")
          .node(new Op.Cast(FP32), List.of("real"), "mask")
          .node(new Op.Unsqueeze(List.of(1)), List.of("ids"), "wide");
      Tensor ids = Tensor.of(Shape.of(1, 4), new long[] {7, 5, 0, 0});
      try (ExecutionContext context = graph.plan("padded", "mask", "wide").newContext()) {
        Map<String, Tensor> y = context.run(Map.of("ids", ids));
        assertArrayEquals(new long[] {0, 0, 1, 1}, y.get("padded").toLongs());
        assertArrayEquals(new float[] {1, 1, 0, 0}, y.get("mask").toFloats());
        assertEquals(Shape.of(1, 1, 4), y.get("wide").shape());
        assertArrayEquals(ids.toLongs(), y.get("wide").toLongs());
      }
    }
  }
}
