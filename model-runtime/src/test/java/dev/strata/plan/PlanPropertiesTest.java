package dev.strata.plan;

import static dev.strata.graph.DataType.FP32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.graph.Activation;
import dev.strata.graph.Layer;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.kernel.Isa;
import dev.strata.kernel.NativeLibrary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What holds of every plan, shown on two small networks.
class PlanPropertiesTest {

  @Test
  void aBatchAnswersLikeItsRequestsAlone() {
    for (int planes : List.of(1, 4, 8)) {
      try (TestGraph graph = TestNetworks.text(planes);
          ExecutionContext context = graph.plan("y").newContext()) {
        requireBatchEqualsSingles(context, "ids", ids(graph, 5, 7));
      }
      try (TestGraph graph = TestNetworks.image(planes);
          ExecutionContext context = graph.plan("y").newContext()) {
        requireBatchEqualsSingles(context, "x", graph.tensor(5, 9, 8, 3));
      }
    }
  }

  private static void requireBatchEqualsSingles(
      ExecutionContext context, String input, Tensor batch) {
    long count = batch.shape().dim(0);
    byte[] together = bytes(context.run(Map.of(input, batch)).get("y"));
    long[] dims = batch.shape().toArray();
    dims[0] = 1;
    for (long i = 0; i < count; i++) {
      long size = batch.data().byteSize() / count;
      Tensor one = new Tensor(batch.type(), Shape.of(dims), batch.data().asSlice(i * size, size));
      byte[] alone = bytes(context.run(Map.of(input, one)).get("y"));
      int from = (int) i * alone.length;
      assertArrayEquals(alone, Arrays.copyOfRange(together, from, from + alone.length));
    }
  }

  @Test
  void shapesMayChangeFromRunToRun() {
    try (TestGraph graph = TestNetworks.text(3);
        ExecutionContext kept = graph.plan("y").newContext()) {
      for (long[] shape : new long[][] {{1, 3}, {2, 9}, {1, 3}, {4, 1}, {2, 9}}) {
        Tensor ids = ids(graph, shape[0], shape[1]);
        Tensor y = kept.run(Map.of("ids", ids)).get("y");
        assertEquals(Shape.of(shape[0], shape[1], 32), y.shape());
        try (ExecutionContext fresh = graph.plan("y").newContext()) {
          assertArrayEquals(bytes(fresh.run(Map.of("ids", ids)).get("y")), bytes(y));
        }
      }
      Map<String, Tensor> first = Map.of("ids", ids(graph, 1, 1));
      byte[] answer = bytes(kept.run(first).get("y"));
      for (int shape = 0; shape < Bindings.REMEMBERED + 20; shape++) {
        kept.run(Map.of("ids", ids(graph, 1 + shape / 30, 1 + shape % 30)));
      }
      assertArrayEquals(answer, bytes(kept.run(first).get("y")), "forgotten meanwhile");
    }
  }

  @Test
  void sharedMemoryGivesTheSameAnswersAsMemoryOfTheirOwn() {
    try (TestGraph graph = TestNetworks.image(5);
        ExecutionContext shared = graph.plan("y").newContext();
        ExecutionContext own =
            new ExecutionContext(graph.plan("y"), MemoryPlan.Reuse.NEVER, Binder.Fusion.STEPS)) {
      Map<String, Tensor> input = Map.of("x", graph.tensor(3, 12, 10, 3));
      byte[] first = bytes(shared.run(input).get("y"));
      assertArrayEquals(bytes(own.run(input).get("y")), first);
      assertArrayEquals(first, bytes(shared.run(input).get("y")), "a second run of the same");
      assertTrue(
          2 * shared.peakActivationBytes() < own.peakActivationBytes(),
          () -> shared.peakActivationBytes() + " of " + own.peakActivationBytes());
    }
    try (TestGraph graph = TestNetworks.text(5);
        ExecutionContext shared = graph.plan("y").newContext();
        ExecutionContext own =
            new ExecutionContext(graph.plan("y"), MemoryPlan.Reuse.NEVER, Binder.Fusion.STEPS)) {
      Map<String, Tensor> input = Map.of("ids", ids(graph, 3, 11));
      assertArrayEquals(bytes(own.run(input).get("y")), bytes(shared.run(input).get("y")));
    }
  }

  @Test
  void everyInstructionSetGivesTheSameBits() {
    NativeLibrary library = NativeLibrary.loaded();
    try (TestGraph image = TestNetworks.image(3);
        TestGraph text = TestNetworks.text(3)) {
      Map<String, Tensor> pictures = Map.of("x", image.tensor(2, 11, 9, 3));
      Map<String, Tensor> words = Map.of("ids", ids(text, 2, 13));
      List<byte[]> answers = new ArrayList<>();
      for (Isa isa : library.probed().included()) {
        library.use(isa);
        answers.add(bytes(image.run("y", pictures)));
        answers.add(bytes(text.run("y", words)));
      }
      for (int i = 2; i < answers.size(); i++) {
        assertArrayEquals(answers.get(i % 2), answers.get(i));
      }
    } finally {
      library.use(library.chosen());
    }
  }

  @Test
  void layersThatReadTheSameInputShareItsCodes() {
    try (TestGraph graph = TestNetworks.text(4);
        ExecutionContext context = graph.plan("y").newContext()) {
      List<String> paths = paths(context, List.of(Shape.of(2, 3)));
      assertEquals(
          List.of(
              "word: gather",
              "place: gather",
              "sum: add",
              "x: layer norm, quantize",
              "q: stream",
              "k: stream",
              "v: stream",
              "raw: attention",
              "y: quantize rows",
              "y: stream"),
          paths);
      List<String> many = paths(context, List.of(Shape.of(2, 30)));
      assertEquals(4, many.stream().filter(path -> path.endsWith(": block")).count());
    }
  }

  @Test
  void anObserverSeesTheFloatInputOfEachWeightedLayer() {
    try (TestGraph graph = TestNetworks.image(4);
        ExecutionContext context = graph.plan("a", "y").newContext()) {
      Tensor x = graph.tensor(2, 6, 6, 3);
      List<String> seen = new ArrayList<>();
      List<byte[]> inputs = new ArrayList<>();
      context.observe(
          (layer, floats, shape) -> {
            seen.add(layer + shape);
            inputs.add(floats.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
          });
      Map<String, Tensor> y = context.run(Map.of("x", x));
      assertEquals(
          List.of(
              "first[2, 6, 6, 3]",
              "depth[2, 6, 6, 16]",
              "grouped[2, 6, 6, 16]",
              "narrow[2, 6, 6, 16]",
              "top[2, 16]"),
          seen);
      assertArrayEquals(bytes(x), inputs.get(0));
      assertArrayEquals(bytes(y.get("a")), inputs.get(1));
    }
  }

  @Test
  void wrongInputsAreRefusedWithTheirName() {
    try (TestGraph graph = TestNetworks.image(4);
        ExecutionContext context = graph.plan("y").newContext()) {
      var missing = assertThrows(IllegalArgumentException.class, () -> context.run(Map.of()));
      assertTrue(missing.getMessage().contains("expected 'x'"), missing::getMessage);
      Tensor flat = graph.tensor(2, 3);
      var wrong =
          assertThrows(IllegalArgumentException.class, () -> context.run(Map.of("x", flat)));
      assertEquals(
          "graph input 'x': got FP32 [2, 3], expected FP32 [-1, -1, -1, 3]", wrong.getMessage());
    }
  }

  @Test
  void shapesThatDoNotFitNameTheNode() {
    try (TestGraph graph = new TestGraph(5)) {
      graph
          .input("x", FP32, -1, -1)
          .floatLayer("fc", Layer.Kind.LINEAR, 4, 8, 1)
          .node(new Op.Linear("fc", Activation.RELU), List.of("x"), "y");
      Tensor narrow = graph.tensor(2, 7);
      var failure =
          assertThrows(IllegalArgumentException.class, () -> graph.run("y", Map.of("x", narrow)));
      assertEquals(
          "node 'y' (Linear): input of layer 'fc': got shape [2, 7], expected [..., 8]",
          failure.getMessage());
    }
  }

  @Test
  void arithmeticOnShapesIsDoneBeforeThePlanRuns() {
    try (TestGraph graph = new TestGraph(6)) {
      graph
          .input("x", FP32, -1, -1, 4)
          .constant("two", new long[] {2}, 1)
          .node(new Op.ShapeOf(), List.of("x"), "shape")
          .node(new Op.Reduce(Op.Reduce.Reduction.PROD, List.of(0), true), List.of("shape"), "all")
          .node(new Op.Binary(Op.Binary.Function.DIV), List.of("all", "two"), "half")
          .node(new Op.Concat(0), List.of("two", "half"), "halves")
          .node(new Op.Reshape(false), List.of("x", "halves"), "y");
      Tensor x = graph.tensor(3, 2, 4);
      try (ExecutionContext context = graph.plan("y").newContext()) {
        Tensor y = context.run(Map.of("x", x)).get("y");
        assertEquals(Shape.of(2, 12), y.shape());
        assertArrayEquals(bytes(x), bytes(y));
        assertEquals(List.of(), paths(context, List.of(x.shape())));
      }
    }
  }

  @Test
  void anEmptyBatchGivesAnEmptyAnswer() {
    try (TestGraph graph = TestNetworks.image(4)) {
      Tensor y = graph.run("y", Map.of("x", graph.tensor(0, 8, 8, 3)));
      assertEquals(Shape.of(0, 10), y.shape());
    }
  }

  private static List<String> paths(ExecutionContext context, List<Shape> shapes) {
    return context.describe(shapes).steps().stream()
        .map(step -> step.node() + ": " + step.path())
        .toList();
  }

  private static Tensor ids(TestGraph graph, long count, long length) {
    return Tensor.of(Shape.of(count, length), graph.random.longs(count * length, 0, 60).toArray());
  }

  private static byte[] bytes(Tensor tensor) {
    return tensor.data().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
  }
}
