package dev.strata.trainer.training;

import dev.strata.graph.Layer;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import dev.strata.precision.Bits;
import dev.strata.trainer.quantize.CascadeWeights;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
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
  static final float PIXEL_STEP = 1 / 255f;

  private final ModelGraph graph;
  private final RunFile run;
  private final NetworkState state = new NetworkState();
  private final Set<String> keptWide = new TreeSet<>();
  private final Set<String> pixels = new TreeSet<>(Set.of(Architecture.INPUT));

  TrainedNetwork(ModelGraph graph, RunFile run) {
    this.graph = graph;
    this.run = run;
    List<Layer> layers = graph.layers();
    if (run.keptWide().contains("first")) {
      keptWide.add(layers.getFirst().name());
    }
    if (run.keptWide().contains("last")) {
      keptWide.add(layers.getLast().name());
    }
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Op.Transpose || node.op() instanceof Op.Flatten) {
        pixels.add(node.outputs().getFirst());
      }
    }
    SplittableRandom random = new SplittableRandom(run.seed());
    for (Layer layer : layers) {
      float[] weights = new float[layer.layout().rows() * layer.layout().columns()];
      double deviation = Math.sqrt(2.0 / layer.layout().columns());
      for (int i = 0; i < weights.length; i++) {
        weights[i] = (float) (random.nextGaussian() * deviation);
      }
      state.put(weight(layer), weights);
    }
    List<Integer> widths = run.method() == RunFile.Method.FP32 ? List.of(FLOATS) : run.widths();
    for (int width : widths) {
      layers.forEach(layer -> addNorm(layer, planes(layer, width)));
    }
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

  NetworkState state() {
    return state;
  }

  RunFile run() {
    return run;
  }

  boolean isKeptWide(Layer layer) {
    return keptWide.contains(layer.name());
  }

  /// The last layer has a bias, all others a batch norm.
  boolean isNormed(Layer layer) {
    return !layer.name().equals(graph.layers().getLast().name());
  }

  /// Pixels are multiples of 1/255: their 8-bit codes are exact and need no training.
  boolean isPixels(String value) {
    return pixels.contains(value);
  }

  int planes(Layer layer, int width) {
    return width == FLOATS ? FLOATS : isKeptWide(layer) ? Bits.MAX : width;
  }

  int inputBits(Layer layer, String value, int width) {
    return isPixels(value) || isKeptWide(layer) ? Bits.MAX : run.activationBits(width);
  }

  static String weight(Layer layer) {
    return layer.name() + ".weight";
  }

  static String norm(Layer layer, int planes, String what) {
    return "%s.norm.%d.%s".formatted(layer.name(), planes, what);
  }

  static String bias(Layer layer, int planes) {
    return "%s.bias.%d".formatted(layer.name(), planes);
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
