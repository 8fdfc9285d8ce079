package dev.strata.testing;

import dev.strata.graph.Activation;
import dev.strata.graph.Constant;
import dev.strata.graph.DataType;
import dev.strata.graph.Layer;
import dev.strata.graph.MemoryTensors;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import dev.strata.graph.Postprocessing;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Shape;
import dev.strata.graph.TensorSpec;
import dev.strata.precision.ActivationQuantizer;
import dev.strata.precision.Bits;
import dev.strata.precision.PlaneLayout;
import dev.strata.precision.PlaneNames;
import dev.strata.precision.PrecisionProfile;
import dev.strata.precision.PrecisionProfile.LayerPrecision;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/// Small models with random weights that are quantized as real ones are. The same seed gives the
/// same model.
public final class TinyModels {
  public static final String LICENCE = "none, random weights";

  private TinyModels() {}

  /// A two-layer perceptron: `x` FP32 `[-1, 16]` to `y` FP32 `[-1, 4]`. Layer `hidden` has as
  /// many planes as the profile has bits, `head` always 8 and two groups per row. A constant
  /// `shift` is added to the input.
  public static TinyModel withSeed(long seed) {
    PlaneLayout hidden = new PlaneLayout(72, 16, 32, 1);
    PlaneLayout head = new PlaneLayout(4, 72, 64, 1);
    Random random = new Random(seed);
    MemoryTensors tensors = new MemoryTensors();
    new TinyQuantizer(tensors, random).put("hidden", hidden);
    new TinyQuantizer(tensors, random).put("head", head);
    tensors.put("shift", gaussian(random, 16, 0.1));
    TensorSpec input = new TensorSpec("x", DataType.FP32, Shape.of(Shape.VARIABLE, 16));
    TensorSpec output = new TensorSpec("y", DataType.FP32, Shape.of(Shape.VARIABLE, 4));
    ModelGraph graph =
        new ModelGraph(
            List.of(input),
            List.of("y"),
            List.of(
                node("add", new Op.Binary(Op.Binary.Function.ADD), List.of("x", "shift"), "s"),
                node("first", new Op.Linear("hidden", Activation.RELU), List.of("s"), "h"),
                node("second", new Op.Linear("head", Activation.IDENTITY), List.of("h"), "y")),
            List.of(new Constant("shift", DataType.FP32, Shape.of(16))),
            List.of(
                new Layer("hidden", Layer.Kind.LINEAR, Layer.Storage.PLANES, hidden),
                new Layer("head", Layer.Kind.LINEAR, Layer.Storage.PLANES, head)));
    List<PrecisionProfile> profiles =
        Bits.all().stream()
            .map(
                bits ->
                    new PrecisionProfile(
                        bits,
                        Map.of(
                            "hidden",
                            new LayerPrecision(bits, new ActivationQuantizer.PerGroup()),
                            "head",
                            new LayerPrecision(
                                new Bits(Bits.MAX), new ActivationQuantizer.PerGroup())),
                        Map.of("accuracy", 0.5 + bits.count() / 16.0)))
            .toList();
    return new TinyModel(
        describe("tiny", input, output, graph, List.of("a", "b", "c", "d"), profiles), tensors);
  }

  /// A small image network: `image` FP32 NHWC `[-1, 8, 8, 3]`, 3 x 3 convolution to 16
  /// channels, 3
  /// x 3 depthwise convolution with stride 2 and a residual-free relu, mean over the image,
  /// linear to `y` FP32 `[-1, 5]`.
  public static TinyModel convNet(long seed) {
    PlaneLayout stem = PlaneLayout.perChannel(16, 27, 1);
    PlaneLayout depthwise = PlaneLayout.perChannel(16, 9, 1);
    PlaneLayout head = PlaneLayout.perChannel(5, 16, 1);
    Random random = new Random(seed);
    MemoryTensors tensors = new MemoryTensors();
    TinyQuantizer quantizer = new TinyQuantizer(tensors, random);
    quantizer.put("stem", stem);
    quantizer.put("depthwise", depthwise);
    quantizer.put("head", head);
    float[] channels = new float[2 * 16];
    for (int c = 0; c < 16; c++) {
      channels[c] = 0.01f * (1 + c % 4);
      channels[16 + c] = c - 128;
    }
    tensors.put(PlaneNames.input("depthwise"), channels);
    TensorSpec input = new TensorSpec("image", DataType.FP32, Shape.of(Shape.VARIABLE, 8, 8, 3));
    TensorSpec output = new TensorSpec("y", DataType.FP32, Shape.of(Shape.VARIABLE, 5));
    Op.Window same = new Op.Window(3, 3, 1, 1, 1, 1, 1, 1, 1, 1);
    Op.Window half = new Op.Window(3, 3, 2, 2, 1, 1, 1, 1, 1, 1);
    ModelGraph graph =
        new ModelGraph(
            List.of(input),
            List.of("y"),
            List.of(
                node("conv1", new Op.Conv("stem", same, 1, Activation.RELU), "image", "a"),
                node("conv2", new Op.Conv("depthwise", half, 16, Activation.RELU), "a", "b"),
                node(
                    "mean",
                    new Op.Reduce(Op.Reduce.Reduction.MEAN, List.of(1, 2), false),
                    "b",
                    "c"),
                node("linear", new Op.Linear("head", Activation.IDENTITY), "c", "y")),
            List.of(),
            List.of(
                new Layer("stem", Layer.Kind.CONV, Layer.Storage.PLANES, stem),
                new Layer("depthwise", Layer.Kind.DEPTHWISE, Layer.Storage.PLANES, depthwise),
                new Layer("head", Layer.Kind.LINEAR, Layer.Storage.PLANES, head)));
    List<PrecisionProfile> profiles =
        Bits.all().stream()
            .map(
                bits ->
                    new PrecisionProfile(
                        bits,
                        Map.of(
                            "stem",
                            new LayerPrecision(bits, new ActivationQuantizer.PerSample()),
                            "depthwise",
                            new LayerPrecision(
                                new Bits(Bits.MAX), new ActivationQuantizer.PerChannel()),
                            "head",
                            new LayerPrecision(bits, new ActivationQuantizer.PerGroup())),
                        Map.of()))
            .toList();
    return new TinyModel(
        describe("tiny-conv", input, output, graph, List.of("a", "b", "c", "d", "e"), profiles),
        tensors);
  }

  /// A model that takes its time: `x` FP32 `[-1, 64]` to `y` FP32 `[-1, 64]`, the same layer over
  /// and over.
  ///
  /// @param depth how often
  public static TinyModel deep(long seed, int depth) {
    PlaneLayout layout = PlaneLayout.perChannel(64, 64, 1);
    MemoryTensors tensors = new MemoryTensors();
    new TinyQuantizer(tensors, new Random(seed)).put("layer", layout);
    TensorSpec input = new TensorSpec("x", DataType.FP32, Shape.of(Shape.VARIABLE, 64));
    TensorSpec output = new TensorSpec("y", DataType.FP32, Shape.of(Shape.VARIABLE, 64));
    Activation bounded = new Activation(Activation.Kind.TANH, 0, 0);
    List<Node> nodes =
        IntStream.range(0, depth)
            .mapToObj(
                i ->
                    node(
                        "step" + i,
                        new Op.Linear("layer", bounded),
                        i == 0 ? "x" : "h" + i,
                        i == depth - 1 ? "y" : "h" + (i + 1)))
            .toList();
    ModelGraph graph =
        new ModelGraph(
            List.of(input),
            List.of("y"),
            nodes,
            List.of(),
            List.of(new Layer("layer", Layer.Kind.LINEAR, Layer.Storage.PLANES, layout)));
    List<PrecisionProfile> profiles =
        Bits.all().stream()
            .map(
                bits ->
                    new PrecisionProfile(
                        bits,
                        Map.of(
                            "layer", new LayerPrecision(bits, new ActivationQuantizer.PerGroup())),
                        Map.of()))
            .toList();
    return new TinyModel(describe("tiny-deep", input, output, graph, List.of(), profiles), tensors);
  }

  /// @return normally distributed values
  public static float[] gaussian(Random random, int count, double deviation) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (random.nextGaussian() * deviation);
    }
    return values;
  }

  private static Node node(String name, Op op, String input, String output) {
    return node(name, op, List.of(input), output);
  }

  private static Node node(String name, Op op, List<String> inputs, String output) {
    return new Node(name, op, inputs, List.of(output));
  }

  /// [#withSeed] that answers with the probabilities `p` of its four classes.
  public static TinyModel classifier(long seed) {
    TinyModel scores = withSeed(seed);
    ModelDescription of = scores.description();
    return new TinyModel(
        new ModelDescription(
            "classifier",
            of.inputs(),
            List.of(new TensorSpec("p", DataType.FP32, of.outputs().getFirst().shape())),
            of.graph(),
            of.preprocessing(),
            new Postprocessing.Softmax("y", "p"),
            of.labels(),
            of.defaultBits(),
            of.profiles(),
            of.provenance()),
        scores.tensors());
  }

  private static ModelDescription describe(
      String name,
      TensorSpec input,
      TensorSpec output,
      ModelGraph graph,
      List<String> labels,
      List<PrecisionProfile> profiles) {
    return new ModelDescription(
        name,
        List.of(input),
        List.of(output),
        graph,
        new Preprocessing.None(),
        new Postprocessing.None(),
        labels,
        new Bits(Bits.MAX),
        profiles,
        Map.of("licence", LICENCE));
  }
}
