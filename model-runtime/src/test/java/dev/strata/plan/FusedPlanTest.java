package dev.strata.plan;

import static dev.strata.graph.DataType.FP32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.strata.graph.Activation;
import dev.strata.graph.Layer;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.kernel.Isa;
import dev.strata.kernel.NativeLibrary;
import dev.strata.precision.ActivationQuantizer;
import dev.strata.precision.PlaneLayout;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Fused steps answer like the steps they are made of, bit for bit.
class FusedPlanTest {
  private static final int WIDTH = 96;
  private static final int WIDE = 160;

  /// A block of a transformer: `x` `[N, L, 96]` and `mask` `[N, 1, 1, L]` to `y` `[N, L, 96]`, with
  /// factors in front of the layers as input balancing puts them there.
  private static TestGraph block(int planes, ActivationQuantizer by) {
    PlaneLayout square = new PlaneLayout(WIDTH, WIDTH, 32, 1);
    Activation none = Activation.IDENTITY;
    Op multiply = new Op.Binary(Op.Binary.Function.MUL);
    TestGraph graph = new TestGraph(77);
    return graph
        .input("x", FP32, -1, -1, WIDTH)
        .input("mask", FP32, -1, 1, 1, -1)
        .constant("heads", new long[] {0, 0, 3, 32}, 4)
        .constant("joined", new long[] {0, 0, -1}, 3)
        .constant("root", new float[] {5.5f})
        .constant("scale", graph.floats(WIDTH), WIDTH)
        .constant("bias", graph.floats(WIDTH), WIDTH)
        .constant("factors", graph.floats(WIDTH), WIDTH)
        .constant("others", graph.floats(WIDTH), 1, WIDTH)
        .constant("wideFactors", graph.floats(WIDE), WIDE)
        .planeLayer("query", Layer.Kind.LINEAR, square, planes, by)
        .planeLayer("key", Layer.Kind.LINEAR, square, planes, by)
        .planeLayer("value", Layer.Kind.LINEAR, square, planes, by)
        .planeLayer("out", Layer.Kind.LINEAR, square, planes, by)
        .planeLayer("up", Layer.Kind.LINEAR, new PlaneLayout(WIDE, WIDTH, 32, 1), planes, by)
        .planeLayer("down", Layer.Kind.LINEAR, new PlaneLayout(WIDTH, WIDE, 64, 1), planes, by)
        .node(new Op.LayerNorm(1e-5f), List.of("x", "scale", "bias"), "normal")
        .node(multiply, List.of("normal", "factors"), "balanced")
        .node(new Op.Linear("query", none), List.of("balanced"), "q")
        .node(new Op.Linear("key", none), List.of("balanced"), "k")
        .node(new Op.Linear("value", none), List.of("balanced"), "v")
        .node(new Op.Reshape(false), List.of("q", "heads"), "q4")
        .node(new Op.Reshape(false), List.of("k", "heads"), "k4")
        .node(new Op.Reshape(false), List.of("v", "heads"), "v4")
        .node(new Op.Transpose(List.of(0, 2, 1, 3)), List.of("q4"), "qh")
        .node(new Op.Transpose(List.of(0, 2, 3, 1)), List.of("k4"), "kh")
        .node(new Op.Transpose(List.of(0, 2, 1, 3)), List.of("v4"), "vh")
        .node(new Op.MatMul(), List.of("qh", "kh"), "raw")
        .node(new Op.Binary(Op.Binary.Function.DIV), List.of("raw", "root"), "scaled")
        .node(new Op.Binary(Op.Binary.Function.ADD), List.of("scaled", "mask"), "masked")
        .node(new Op.Softmax(-1), List.of("masked"), "weights")
        .node(new Op.MatMul(), List.of("weights", "vh"), "mixed")
        .node(new Op.Transpose(List.of(0, 2, 1, 3)), List.of("mixed"), "back")
        .node(new Op.Reshape(false), List.of("back", "joined"), "flat")
        .node(multiply, List.of("flat", "others"), "evened")
        .node(new Op.Linear("out", none), List.of("evened", "normal"), "attended")
        .node(new Op.LayerNorm(1e-5f), List.of("attended", "scale", "bias"), "again")
        .node(new Op.Linear("up", Activation.of(Activation.Kind.GELU)), List.of("again"), "wide")
        .node(multiply, List.of("wide", "wideFactors"), "wideBalanced")
        .node(new Op.Linear("down", none), List.of("wideBalanced", "again"), "y");
  }

  private static ActivationQuantizer quantizer(int activationBits) {
    return activationBits == 0
        ? new ActivationQuantizer.PerGroup()
        : new ActivationQuantizer.PerTensor(activationBits, 4f / (1 << activationBits), 0);
  }

  @ParameterizedTest
  @CsvSource({"8, 0", "4, 0", "1, 0", "3, 8", "2, 2", "1, 4"})
  void fusedStepsGiveTheBitsOfSeparateOnes(int planes, int activationBits) {
    NativeLibrary library = NativeLibrary.loaded();
    try (TestGraph graph = block(planes, quantizer(activationBits))) {
      ExecutablePlan plan = graph.plan("y");
      for (Isa isa : library.probed().included()) {
        library.use(isa);
        try (ExecutionContext fused = plan.newContext();
            ExecutionContext separate =
                new ExecutionContext(plan, MemoryPlan.Reuse.BY_LIVENESS, Binder.Fusion.NONE)) {
          for (long[] shape : new long[][] {{1, 1}, {1, 5}, {2, 17}, {3, 48}}) {
            Map<String, Tensor> inputs =
                Map.of(
                    "x", graph.tensor(shape[0], shape[1], WIDTH),
                    "mask", graph.tensor(shape[0], 1, 1, shape[1]));
            byte[] expected = bytes(separate.run(inputs).get("y"));
            assertArrayEquals(expected, bytes(fused.run(inputs).get("y")));
          }
        }
      }
    } finally {
      library.use(library.chosen());
    }
  }

  @ParameterizedTest
  @CsvSource("4")
  void aTransformerBlockIsTenCalls(int planes) {
    try (TestGraph graph = block(planes, quantizer(0));
        ExecutionContext context = graph.plan("y").newContext()) {
      assertEquals(
          List.of(
              "layer norm, quantize",
              "block",
              "block",
              "block",
              "attention",
              "quantize rows",
              "block",
              "layer norm, quantize",
              "block, quantize",
              "block"),
          context.describe(List.of(Shape.of(2, 30, WIDTH), Shape.of(2, 1, 1, 30))).steps().stream()
              .map(StepDescription::path)
              .toList());
    }
  }

  @ParameterizedTest
  @CsvSource({"4, 5", "8, 48"})
  void aBoundPlanRunsWithoutAllocating(int planes, int length) {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (TestGraph graph = block(planes, quantizer(0));
        ExecutionContext context = graph.plan("y").newContext()) {
      BoundPlan bound =
          context.bound(List.of(Shape.of(2, length, WIDTH), Shape.of(2, 1, 1, length)));
      // Once compiled, a call leaves nothing behind; before, the interpreter may.
      long left = Long.MAX_VALUE;
      for (int attempt = 0; attempt < 200 && left > 0; attempt++) {
        for (int i = 0; i < 100; i++) {
          bound.run(() -> false);
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 10; i++) {
          bound.run(() -> false);
        }
        left = threads.getCurrentThreadAllocatedBytes() - before;
      }
      assertEquals(0, left, "bytes of ten runs");
    }
  }

  private static byte[] bytes(Tensor tensor) {
    return tensor.data().toArray(ValueLayout.JAVA_BYTE);
  }
}
