package dev.strata.plan;

import static dev.strata.graph.DataType.FP32;
import static dev.strata.graph.DataType.INT64;

import dev.strata.graph.Activation;
import dev.strata.graph.Layer;
import dev.strata.graph.Op;
import dev.strata.precision.ActivationQuantizer;
import dev.strata.precision.PlaneLayout;
import java.util.List;

/// Two small networks that use most of what a plan does.
final class TestNetworks {
  private static final int WIDTH = 32;

  private TestNetworks() {}

  /// Token ids `[N, L]` to `y` `[N, L, 32]`: one layer of attention with two heads.
  static TestGraph text(int planes) {
    ActivationQuantizer rows = new ActivationQuantizer.PerGroup();
    PlaneLayout square = PlaneLayout.perChannel(WIDTH, WIDTH, 1);
    Activation none = Activation.IDENTITY;
    TestGraph graph = new TestGraph(71);
    return graph
        .input("ids", INT64, -1, -1)
        .constant("zero", new long[] {0}, 1)
        .constant("one", new long[] {1}, 1)
        .constant("heads", new long[] {2, 16}, 2)
        .constant("joined", new long[] {0, 0, -1}, 3)
        .constant("quarter", new float[] {0.25f}, 1)
        .constant("scale", graph.floats(WIDTH), WIDTH)
        .constant("bias", graph.floats(WIDTH), WIDTH)
        .constant("start", new long[] {0})
        .constant("step", new long[] {1})
        .planeLayer(
            "words", Layer.Kind.EMBEDDING, PlaneLayout.perChannel(60, WIDTH, 1), planes, rows)
        .floatLayer("places", Layer.Kind.EMBEDDING, 128, WIDTH, 1)
        .planeLayer("query", Layer.Kind.LINEAR, square, planes, rows)
        .planeLayer("key", Layer.Kind.LINEAR, square, planes, rows)
        .planeLayer("value", Layer.Kind.LINEAR, square, planes, rows)
        .planeLayer("out", Layer.Kind.LINEAR, square, planes, rows)
        .node(new Op.Embedding("words"), List.of("ids"), "word")
        .node(new Op.ShapeOf(), List.of("ids"), "shape")
        .node(new Op.Gather(0), List.of("shape", "step"), "length")
        .node(new Op.Range(), List.of("start", "length", "step"), "positions")
        .node(new Op.Embedding("places"), List.of("positions"), "place")
        .node(new Op.Binary(Op.Binary.Function.ADD), List.of("word", "place"), "sum")
        .node(new Op.LayerNorm(1e-5f), List.of("sum", "scale", "bias"), "x")
        .node(new Op.Concat(0), List.of("shape", "heads"), "split")
        .node(new Op.Linear("query", none), List.of("x"), "q")
        .node(new Op.Linear("key", none), List.of("x"), "k")
        .node(new Op.Linear("value", none), List.of("x"), "v")
        .node(new Op.Reshape(false), List.of("q", "split"), "q4")
        .node(new Op.Reshape(false), List.of("k", "split"), "k4")
        .node(new Op.Reshape(false), List.of("v", "split"), "v4")
        .node(new Op.Transpose(List.of(0, 2, 1, 3)), List.of("q4"), "qh")
        .node(new Op.Transpose(List.of(0, 2, 3, 1)), List.of("k4"), "kh")
        .node(new Op.Transpose(List.of(0, 2, 1, 3)), List.of("v4"), "vh")
        .node(new Op.MatMul(), List.of("qh", "kh"), "raw")
        .node(new Op.Binary(Op.Binary.Function.MUL), List.of("raw", "quarter"), "scaled")
        .node(new Op.Softmax(-1), List.of("scaled"), "weights")
        .node(new Op.MatMul(), List.of("weights", "vh"), "mixed")
        .node(new Op.Transpose(List.of(0, 2, 1, 3)), List.of("mixed"), "back")
        .node(new Op.Reshape(false), List.of("back", "joined"), "flat")
        .node(new Op.Linear("out", Activation.of(Activation.Kind.GELU)), List.of("flat", "x"), "y");
  }

  /// Images `[N, H, W, 3]` to `y` `[N, 10]`.
  static TestGraph image(int planes) {
    ActivationQuantizer samples = new ActivationQuantizer.PerSample();
    ActivationQuantizer fixed = new ActivationQuantizer.PerTensor(8, 0.02f, 5);
    ActivationQuantizer narrow = new ActivationQuantizer.PerTensor(2, 0.5f, 1);
    Op.Window same = new Op.Window(3, 3, 1, 1, 1, 1, 1, 1, 1, 1);
    return new TestGraph(72)
        .input("x", FP32, -1, -1, -1, 3)
        .planeLayer("first", Layer.Kind.CONV, PlaneLayout.perChannel(16, 27, 1), planes, samples)
        .planeLayer("depth", Layer.Kind.DEPTHWISE, PlaneLayout.perChannel(16, 9, 1), planes, fixed)
        .planeLayer("grouped", Layer.Kind.CONV, PlaneLayout.perChannel(16, 72, 2), planes, fixed)
        .planeLayer("narrow", Layer.Kind.CONV, PlaneLayout.perChannel(16, 144, 1), 2, narrow)
        .floatLayer("top", Layer.Kind.LINEAR, 10, 16, 1)
        .node(new Op.Conv("first", same, 1, Activation.RELU), List.of("x"), "a")
        .node(new Op.Conv("depth", same, 16, Activation.RELU), List.of("a"), "b")
        .node(new Op.Conv("grouped", same, 2, Activation.IDENTITY), List.of("b", "a"), "c")
        .node(new Op.Conv("narrow", same, 1, Activation.RELU), List.of("c"), "d")
        .node(
            new Op.Pool(
                Op.Pool.Pooling.MAX, new Op.Window(2, 2, 2, 2, 1, 1, 0, 0, 0, 0), true, false),
            List.of("d"),
            "e")
        .node(new Op.Reduce(Op.Reduce.Reduction.MEAN, List.of(1, 2), false), List.of("e"), "f")
        .node(new Op.Linear("top", Activation.IDENTITY), List.of("f"), "g")
        .node(new Op.Softmax(1), List.of("g"), "y");
  }
}
