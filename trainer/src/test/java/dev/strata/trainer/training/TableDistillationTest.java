package dev.strata.trainer.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDManager;
import dev.strata.graph.Activation;
import dev.strata.graph.Constant;
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
import dev.strata.precision.Bits;
import dev.strata.precision.PlaneLayout;
import dev.strata.precision.PlaneNames;
import dev.strata.precision.PrecisionProfile;
import dev.strata.trainer.data.Idx;
import dev.strata.trainer.onnx.FloatModel;
import dev.strata.trainer.onnx.OnnxImporter;
import dev.strata.trainer.quantize.CalibrationData;
import dev.strata.trainer.quantize.LayeredNetwork;
import dev.strata.trainer.quantize.LayeredQuantizer;
import dev.strata.trainer.quantize.QuantizationProgress;
import dev.strata.trainer.quantize.QuantizationSettings;
import dev.strata.trainer.quantize.QuantizationSettings.Distillation;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class TableDistillationTest {
  private static final Bits TWO = new Bits(2);

  @Test
  void aWidthGetsNearerToTheFloatsAndNothingElseChanges() throws IOException, URISyntaxException {
    try (FloatModel model = OnnxImporter.read(Path.of(resource("fm_resnet8.onnx").toURI()))) {
      String input = model.graph().inputs().getFirst().name();
      List<Map<String, Tensor>> seen = images(input, "calibration-images-idx3-ubyte.gz", 16, 16);
      List<Map<String, Tensor>> unseen = images(input, "t2k-images-idx3-ubyte.gz", 4, 100);
      CalibrationData data = new CalibrationData(seen);
      LayeredNetwork network =
          LayeredQuantizer.quantize(model, data, QuantizationSettings.defaults());
      try (MemoryTensors tensors = network.tensors()) {
        double before = error(model, network, unseen);
        Map<String, byte[]> stored = bytes(tensors);
        TableDistillation.tune(
            model, network, data, new Distillation(Set.of(TWO), 8), QuantizationProgress.SILENT);
        double after = error(model, network, unseen);
        assertTrue(after < 0.7 * before, "error %.4f, before %.4f".formatted(after, before));
        Set<String> tables = new TreeSet<>();
        network.graph().layers().forEach(one -> tables.add(PlaneNames.table(one.name(), TWO)));
        stored.forEach(
            (name, bytes) -> {
              if (!tables.contains(name)) {
                assertArrayEquals(bytes, bytes(tensors).get(name), name);
              }
            });
      }
    }
  }

  /// The rules against the runtime: linear layers with a residual, attention, a norm, a slice.
  @Test
  void answersAreTheRuntimes() {
    assertAnswersOfTheRuntime(attention());
  }

  /// What has no rule the runtime itself computes, and whole numbers are its own.
  @Test
  void operatorsOfEveryKindAreTheRuntimes() {
    assertAnswersOfTheRuntime(oddities());
  }

  private static void assertAnswersOfTheRuntime(FloatModel network) {
    try (FloatModel model = network;
        NDManager memory = TorchEngine.start(1);
        Arena arena = Arena.ofShared()) {
      LayeredNetwork layered =
          LayeredQuantizer.quantize(
              model,
              CalibrationData.none(),
              QuantizationSettings.defaults().withKeptWide(Set.of(), Set.of()));
      try (MemoryTensors tensors = layered.tensors();
          NDManager ofRun = memory.newSubManager()) {
        PrecisionProfile profile = layered.profiles().get(3);
        DifferentiableGraph graph =
            new DifferentiableGraph(layered.graph(), profile, tensors, memory);
        assertEquals(Set.of("x"), graph.entries());
        assertEquals(Map.of("a", 32, "b", 32), graph.tuned());
        Map<String, Tensor> given = Map.of("x", random(new Random(3), 1, 6, 32));
        Map<String, ai.djl.ndarray.NDArray> factors = new HashMap<>();
        for (String layer : graph.tuned().keySet()) {
          float[] plain = new float[96];
          Arrays.fill(plain, 0, 64, 1);
          factors.put(
              layer, TorchEngine.array(ofRun, plain, new ai.djl.ndarray.types.Shape(3, 32)));
        }
        var found = graph.run(ofRun, given, factors).get("y");
        try (ExecutionContext runtime =
            Planner.plan(layered.graph(), Optional.of(profile), tensors, arena).newContext()) {
          Tensor wanted = runtime.run(given).get("y");
          assertArrayEquals(wanted.shape().toArray(), found.getShape().getShape());
          // The runtime rounds inputs to 8 bits, this does not.
          assertArrayEquals(wanted.toFloats(), found.toFloatArray(), 0.02f);
        }
      }
    }
  }

  @Test
  void whatNoGradientReachesStaysAsItIs() {
    try (FloatModel model =
            network(node("odd", new Op.Binary(Op.Binary.Function.POW), "h", "ones"));
        NDManager _ = TorchEngine.start(1)) {
      CalibrationData data =
          new CalibrationData(Collections.nCopies(8, Map.of("x", random(new Random(1), 2, 32))));
      LayeredNetwork network =
          LayeredQuantizer.quantize(
              model, data, QuantizationSettings.defaults().withKeptWide(Set.of(), Set.of()));
      try (MemoryTensors tensors = network.tensors()) {
        Map<String, byte[]> stored = bytes(tensors);
        TableDistillation.tune(
            model, network, data, new Distillation(Set.of(TWO), 2), QuantizationProgress.SILENT);
        bytes(tensors).forEach((name, bytes) -> assertArrayEquals(stored.get(name), bytes, name));
        IllegalArgumentException refused =
            assertThrows(
                IllegalArgumentException.class,
                () ->
                    TableDistillation.tune(
                        model,
                        network,
                        CalibrationData.none(),
                        new Distillation(Set.of(TWO), 1),
                        QuantizationProgress.SILENT));
        assertTrue(refused.getMessage().contains("got 0 batches"), refused.getMessage());
      }
    }
  }

  private static Node node(String output, Op op, String... inputs) {
    return new Node(
        output, op, inputs.length == 0 ? List.of("h") : List.of(inputs), List.of(output));
  }

  private static FloatModel network(Node last) {
    return model(
        Shape.of(Shape.VARIABLE, 32),
        List.of(node("h", new Op.Linear("a", Activation.IDENTITY), "x"), last),
        last.outputs().getFirst());
  }

  private static FloatModel attention() {
    return model(
        Shape.of(Shape.VARIABLE, Shape.VARIABLE, 32),
        List.of(
            node("q", new Op.Linear("a", Activation.of(Activation.Kind.GELU)), "x"),
            node("k", new Op.Transpose(List.of(0, 2, 1)), "q"),
            node("s", new Op.MatMul(), "q", "k"),
            node("p", new Op.Softmax(2), "s"),
            node("m", new Op.MatMul(), "p", "q"),
            node("r", new Op.Linear("b", Activation.IDENTITY), "m", "x"),
            node("n", new Op.LayerNorm(1e-5f), "r", "ones", "ones"),
            node("y", new Op.Slice(), "n", "from", "to", "axis", "one")),
        "y");
  }

  private static FloatModel oddities() {
    return model(
        Shape.of(Shape.VARIABLE, Shape.VARIABLE, 32),
        List.of(
            node("h", new Op.Linear("a", Activation.of(Activation.Kind.ERF)), "x"),
            node("size", new Op.ShapeOf(), "h"),
            node("u", new Op.Unary(new Activation(Activation.Kind.LEAKY_RELU, 0.1f, 0)), "h"),
            node("v", new Op.Unary(Activation.of(Activation.Kind.GELU_TANH)), "u"),
            node("w", new Op.Binary(Op.Binary.Function.MAX), "v", "h"),
            node("q", new Op.Binary(Op.Binary.Function.POW), "w", "ones"),
            node("z", new Op.Where(), "h", "q", "w"),
            new Node("parts", new Op.Split(2, List.of()), List.of("z"), List.of("s", "t")),
            node("c", new Op.Concat(2), "t", "s"),
            node("r", new Op.Reshape(false), "c", "size"),
            node("g", new Op.Gather(1), "r", "picks"),
            node("e", new Op.Pad(Op.Pad.Filling.EDGE, 0), "g", "around"),
            node("m", new Op.Reduce(Op.Reduce.Reduction.MAX, List.of(1), true), "e"),
            node("b1", new Op.Binary(Op.Binary.Function.PRELU), "e", "m"),
            node("y", new Op.Linear("b", Activation.IDENTITY), "b1")),
        "y");
  }

  /// Layers `a` and `b` of 32 rows and columns.
  private static FloatModel model(Shape input, List<Node> nodes, String output) {
    MemoryTensors tensors = new MemoryTensors();
    Random random = new Random(7);
    List<Layer> layers = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      if (nodes.stream()
          .anyMatch(one -> one.op() instanceof Op.Linear linear && linear.layer().equals(name))) {
        layers.add(
            new Layer(
                name, Layer.Kind.LINEAR, Layer.Storage.FLOAT, PlaneLayout.perChannel(32, 32, 1)));
        tensors.put(name + ".weight", random(random, 32, 32).data());
        tensors.put(name + ".bias", random(random, 32).data());
      }
    }
    float[] ones = new float[32];
    Arrays.fill(ones, 1);
    tensors.put("ones", ones);
    tensors.put("from", new long[] {1});
    tensors.put("to", new long[] {-1});
    tensors.put("axis", new long[] {1});
    tensors.put("one", new long[] {1});
    tensors.put("picks", new long[] {0, -1, 2});
    tensors.put("around", new long[] {0, 1, 0, 0, 2, 0});
    List<Constant> constants = new ArrayList<>();
    constants.add(new Constant("ones", DataType.FP32, Shape.of(32)));
    for (String whole : List.of("from", "to", "axis", "one")) {
      constants.add(new Constant(whole, DataType.INT64, Shape.of(1)));
    }
    constants.add(new Constant("picks", DataType.INT64, Shape.of(3)));
    constants.add(new Constant("around", DataType.INT64, Shape.of(6)));
    constants.removeIf(
        constant -> nodes.stream().noneMatch(one -> one.inputs().contains(constant.name())));
    return new FloatModel(
        new ModelGraph(
            List.of(new TensorSpec("x", DataType.FP32, input)),
            List.of(output),
            nodes,
            constants,
            layers),
        tensors);
  }

  private static Tensor random(Random random, long... dims) {
    float[] values = new float[(int) Shape.of(dims).elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() / 4);
    }
    return Tensor.of(Shape.of(dims), values);
  }

  /// Of the answers at 2 bits, relative.
  private static double error(
      FloatModel model, LayeredNetwork network, List<Map<String, Tensor>> batches) {
    List<float[]> wanted = answers(model.graph(), Optional.empty(), model.tensors(), batches);
    List<float[]> found =
        answers(
            network.graph(),
            Optional.of(network.profiles().get(TWO.count() - 1)),
            network.tensors(),
            batches);
    double miss = 0;
    double all = 0;
    for (int i = 0; i < wanted.size(); i++) {
      for (int j = 0; j < wanted.get(i).length; j++) {
        miss += Math.pow(found.get(i)[j] - wanted.get(i)[j], 2);
        all += Math.pow(wanted.get(i)[j], 2);
      }
    }
    return miss / all;
  }

  private static List<float[]> answers(
      ModelGraph graph,
      Optional<PrecisionProfile> profile,
      TensorSource tensors,
      List<Map<String, Tensor>> batches) {
    try (Arena arena = Arena.ofShared();
        ExecutionContext context = Planner.plan(graph, profile, tensors, arena).newContext()) {
      return batches.stream()
          .map(batch -> context.run(batch).get(graph.outputs().getFirst()).toFloats())
          .toList();
    }
  }

  private static Map<String, byte[]> bytes(MemoryTensors tensors) {
    Map<String, byte[]> bytes = new HashMap<>();
    tensors
        .names()
        .forEach(name -> bytes.put(name, tensors.get(name).toArray(ValueLayout.JAVA_BYTE)));
    return bytes;
  }

  private static List<Map<String, Tensor>> images(String input, String name, int batches, int size)
      throws IOException {
    Idx images;
    try (InputStream in = resource(name).openStream()) {
      images = Idx.read(in, name);
    }
    List<Map<String, Tensor>> made = new ArrayList<>();
    for (int batch = 0; batch < batches; batch++) {
      float[] values = new float[size * images.sampleSize()];
      for (int i = 0; i < values.length; i++) {
        int sample = batch * size + i / images.sampleSize();
        values[i] = (images.value(sample, i % images.sampleSize()) / 255f - 0.2860f) / 0.3530f;
      }
      made.add(Map.of(input, Tensor.of(Shape.of(size, 1, 28, 28), values)));
    }
    return made;
  }

  private static URL resource(String name) {
    String path = "/dev/strata/trainer/repository/" + name;
    return Objects.requireNonNull(TableDistillationTest.class.getResource(path), path);
  }
}
