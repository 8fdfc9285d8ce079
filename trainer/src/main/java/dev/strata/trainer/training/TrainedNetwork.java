package dev.strata.trainer.training;

import dev.strata.graph.Activation;
import dev.strata.graph.Constant;
import dev.strata.graph.Layer;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import dev.strata.trainer.quantize.CascadeWeights;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;

/// A graph with the state that is trained for it, and the rules that say which array serves which
/// width.
///
/// A layer's norm and bias belong to a number of planes, as its table in the artifact does: layers
/// kept wide have one for all widths. The step of an input belongs to the value that is read, the
/// width and its bits, so that layers that read the same value share its codes.
final class TrainedNetwork {
  /// In place of a width: float weights, unquantized activations.
  static final int FLOATS = 0;

  static final float EPSILON = 1e-5f;
  private static final String WEIGHT = ".weight";
  static final float PIXEL_STEP = 1 / 255f;
  private static final double LEARNED_DEVIATION = 0.1;

  private final TrainableGraph trainable;
  private final ModelGraph graph;
  private final RunFile run;
  private final NetworkState state = new NetworkState();
  private final Set<String> keptWide = new TreeSet<>();
  private final TreeMap<String, Sign> signs = new TreeMap<>();
  private final boolean batchNormed;

  /// What values there are between layers, which says what their codes stand for.
  private enum Sign {
    /// Multiples of 1/255: their 8-bit codes are exact and need no training.
    PIXELS,
    /// None below zero.
    POSITIVE,
    /// Few below zero, and these near to it.
    MOSTLY_POSITIVE,
    BOTH
  }

  TrainedNetwork(TrainableGraph trainable, RunFile run) {
    this.trainable = trainable;
    this.graph = trainable.graph();
    this.run = run;
    List<Layer> layers = graph.layers();
    if (run.keptWide().contains("first")) {
      keptWide.add(layers.getFirst().name());
    }
    if (run.keptWide().contains("last")) {
      keptWide.add(layers.getLast().name());
    }
    batchNormed = graph.nodes().stream().noneMatch(node -> node.op() instanceof Op.LayerNorm);
    signs.put(Architecture.INPUT, Sign.PIXELS);
    graph.nodes().forEach(node -> signs.put(node.outputs().getFirst(), sign(node)));
    SplittableRandom random = new SplittableRandom(run.seed());
    for (Layer layer : layers) {
      float[] weights = new float[layer.layout().rows() * layer.layout().columns()];
      double deviation = Math.sqrt(2.0 / layer.layout().columns());
      for (int i = 0; i < weights.length; i++) {
        weights[i] = (float) (random.nextGaussian() * deviation);
      }
      state.put(weight(layer), weights);
    }
    for (Constant constant : trainable.learned()) {
      float[] values = new float[(int) constant.shape().elements()];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (random.nextGaussian() * LEARNED_DEVIATION);
      }
      state.put(constant.name(), values);
    }
    for (int width : widths()) {
      layers.forEach(layer -> addNorm(layer, planes(layer, width)));
    }
  }

  /// What is trained: widths, or [#FLOATS] alone.
  List<Integer> widths() {
    return run.method() == RunFile.Method.FP32 ? List.of(FLOATS) : run.widths();
  }

  private void addNorm(Layer layer, int planes) {
    int rows = layer.layout().rows();
    if (isNormed(layer)) {
      state.put(norm(layer, planes, "gamma"), filled(rows, 1));
      state.put(norm(layer, planes, "beta"), new float[rows]);
      state.put(norm(layer, planes, "mean"), new float[rows]);
      state.put(norm(layer, planes, "var"), filled(rows, 1));
    } else {
      state.put(bias(layer, planes), new float[rows]);
      if (isScaled(layer)) {
        state.put(gain(layer, planes), filled(rows, 1));
      }
    }
  }

  private static float[] filled(int length, float value) {
    float[] array = new float[length];
    java.util.Arrays.fill(array, value);
    return array;
  }

  ModelGraph graph() {
    return graph;
  }

  /// A constant as it is now.
  Tensor constant(String name) {
    Tensor fixed = trainable.fixed().get(name);
    if (fixed != null) {
      return fixed;
    }
    Constant learned =
        trainable.learned().stream()
            .filter(one -> one.name().equals(name))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("no constant '" + name + "'"));
    return Tensor.of(learned.shape(), state.get(name));
  }

  boolean isLearned(String constant) {
    return state.has(constant) && !trainable.fixed().containsKey(constant);
  }

  NetworkState state() {
    return state;
  }

  RunFile run() {
    return run;
  }

  boolean isKeptWide(Layer layer) {
    return keptWide.contains(layer.name());
  }

  /// Batch norms where the network has no layer norms; the last layer only has a bias.
  boolean isNormed(Layer layer) {
    return batchNormed && !isLast(layer);
  }

  /// Layer norms have no parameters. What makes them different for each width is a gain and a bias
  /// of each row of the layers.
  boolean isScaled(Layer layer) {
    return !batchNormed && !isLast(layer);
  }

  private boolean isLast(Layer layer) {
    return layer.name().equals(graph.layers().getLast().name());
  }

  boolean isPixels(String value) {
    return signs.get(value) == Sign.PIXELS;
  }

  private Sign sign(Node node) {
    Sign input = signs.get(node.inputs().getFirst());
    return switch (node.op()) {
      case Op.Conv conv -> sign(conv.activation());
      case Op.Linear linear -> sign(linear.activation());
      case Op.Transpose _, Op.Flatten _, Op.Reshape _, Op.Reduce _ -> input;
      default -> Sign.BOTH;
    };
  }

  private static Sign sign(Activation activation) {
    return switch (activation.kind()) {
      case RELU -> Sign.POSITIVE;
      case GELU -> Sign.MOSTLY_POSITIVE;
      default -> Sign.BOTH;
    };
  }

  /// The code of zero among the `2^bits`. One bit means zero or one step, whatever the values are.
  int zero(String value, int bits) {
    return switch (signs.get(value)) {
      case PIXELS, POSITIVE -> 0;
      case MOSTLY_POSITIVE -> (1 << bits) / 16;
      case BOTH -> (1 << (bits - 1)) - 1;
    };
  }

  /// The layer that a node computes.
  Optional<Layer> layer(Node node) {
    return switch (node.op()) {
      case Op.Conv conv -> Optional.of(graph.layer(conv.layer()));
      case Op.Linear linear -> Optional.of(graph.layer(linear.layer()));
      default -> Optional.empty();
    };
  }

  int planes(Layer layer, int width) {
    return width == FLOATS ? FLOATS : isKeptWide(layer) ? Bits.MAX : width;
  }

  int inputBits(Layer layer, String value, int width) {
    return isPixels(value) || isKeptWide(layer) ? Bits.MAX : run.activationBits(width);
  }

  static String weight(Layer layer) {
    return layer.name() + WEIGHT;
  }

  /// Whether a parameter is the weight of a layer, which all widths share.
  static boolean isWeight(String parameter) {
    return parameter.endsWith(WEIGHT);
  }

  static String norm(Layer layer, int planes, String what) {
    return "%s.norm.%d.%s".formatted(layer.name(), planes, what);
  }

  static String bias(Layer layer, int planes) {
    return "%s.bias.%d".formatted(layer.name(), planes);
  }

  static String gain(Layer layer, int planes) {
    return "%s.gain.%d".formatted(layer.name(), planes);
  }

  static String step(String value, int width, int bits) {
    return "%s.step.%d.%d".formatted(value, width, bits);
  }

  /// The weights of each layer at each of the widths, from the floats as they are now.
  ///
  /// @return by `weight` and planes, see [#decodedName]
  Map<String, float[]> decode(List<Integer> widths) {
    Map<String, float[]> decoded = new HashMap<>();
    for (Layer layer : graph.layers()) {
      Set<Integer> planes = new TreeSet<>();
      widths.forEach(width -> planes.add(planes(layer, width)));
      float[] weights = state.get(weight(layer));
      if (planes.remove(FLOATS)) {
        decoded.put(decodedName(layer, FLOATS), weights);
      }
      if (!planes.isEmpty()) {
        Set<Bits> wanted = new TreeSet<>();
        planes.forEach(count -> wanted.add(new Bits(count)));
        CascadeWeights cascade = CascadeWeights.of(layer, weights, wanted);
        wanted.forEach(bits -> decoded.put(decodedName(layer, bits.count()), cascade.decode(bits)));
      }
    }
    return decoded;
  }

  static String decodedName(Layer layer, int planes) {
    return layer.name() + "@" + planes;
  }
}
