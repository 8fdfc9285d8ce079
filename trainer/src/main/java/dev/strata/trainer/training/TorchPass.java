package dev.strata.trainer.training;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.GradientCollector;
import dev.strata.graph.Activation;
import dev.strata.graph.Layer;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// One batch through the graph at one width, with or without gradients.
///
/// Images are NCHW here and weights `[rows][kh][kw][in]`, as in the artifact. Input codes stay
/// integers, counted from zero, up to the product; their step is multiplied into the weights,
/// which are few. The rounding of codes and weights has the gradient of the identity, codes none
/// where they clip.
final class TorchPass {
  /// The share of a batch in running means.
  private static final float NEW_SHARE = 0.1f;

  private final TrainedNetwork network;
  private final NDManager memory;
  private final Map<String, float[]> decoded;
  private final int width;
  private final boolean learning;

  /// Of the batch in running means; with none of it the norms use the running means.
  private final float newShare;

  private final Map<String, NDArray> values = new HashMap<>();
  private final Map<String, NDArray> codes = new HashMap<>();
  private final TreeMap<String, NDArray> leaves = new TreeMap<>();
  private final TreeMap<String, NDArray> running = new TreeMap<>();
  private final TreeMap<String, Double> gradientShares = new TreeMap<>();

  private TorchPass(
      TrainedNetwork network,
      NDManager memory,
      Map<String, float[]> decoded,
      int width,
      boolean learning,
      float newShare) {
    this.network = network;
    this.memory = memory;
    this.decoded = decoded;
    this.width = width;
    this.learning = learning;
    this.newShare = newShare;
  }

  /// What a training pass found.
  static final class Outcome {
    private final float loss;
    private final float[] logits;
    private final Map<String, float[]> gradients;

    private Outcome(float loss, float[] logits, Map<String, float[]> gradients) {
      this.loss = loss;
      this.logits = logits;
      this.gradients = gradients;
    }

    float loss() {
      return loss;
    }

    /// `[samples][classes]`
    float[] logits() {
      return logits;
    }

    /// By parameter name.
    Map<String, float[]> gradients() {
      return gradients;
    }
  }

  /// Forward and backward; running means move in the network's state.
  ///
  /// @param batch `[samples, channels, height, width]`, in 0..1
  /// @param targets `[samples, classes]`, each row a distribution
  static Outcome train(
      TrainedNetwork network,
      NDArray batch,
      NDArray targets,
      Map<String, float[]> decoded,
      int width) {
    try (NDManager memory = batch.getManager().newSubManager()) {
      TorchPass pass = new TorchPass(network, memory, decoded, width, true, NEW_SHARE);
      NDArray logits;
      NDArray loss;
      try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
        logits = pass.forward(batch);
        NDArray share = TorchEngine.number(pass.memory, -1f / targets.getShape().get(0));
        loss = logits.logSoftmax(1).mul(targets).sum().mul(share);
        collector.backward(loss);
      }
      Map<String, float[]> gradients = new TreeMap<>();
      for (Map.Entry<String, NDArray> leaf : pass.leaves.entrySet()) {
        float[] gradient = leaf.getValue().getGradient().toFloatArray();
        double share = pass.gradientShares.getOrDefault(leaf.getKey(), 1.0);
        if (share != 1) {
          for (int i = 0; i < gradient.length; i++) {
            gradient[i] = (float) (gradient[i] * share);
          }
        }
        gradients.put(leaf.getKey(), gradient);
      }
      pass.running.forEach((name, array) -> network.state().put(name, array.toFloatArray()));
      return new Outcome(loss.getFloat(), logits.toFloatArray(), gradients);
    }
  }

  /// @return logits `[samples][classes]`
  static float[] answer(
      TrainedNetwork network, NDArray batch, Map<String, float[]> decoded, int width) {
    try (NDManager memory = batch.getManager().newSubManager()) {
      return new TorchPass(network, memory, decoded, width, false, 0).forward(batch).toFloatArray();
    }
  }

  /// Mixes the means and variances of a batch into those that the norms of a width answer with.
  ///
  /// @param share of the batch; 1 forgets what was there
  static void takeStatistics(
      TrainedNetwork network, NDArray batch, Map<String, float[]> decoded, int width, float share) {
    try (NDManager memory = batch.getManager().newSubManager()) {
      TorchPass pass = new TorchPass(network, memory, decoded, width, false, share);
      pass.forward(batch);
      pass.running.forEach((name, array) -> network.state().put(name, array.toFloatArray()));
    }
  }

  /// Widens the 8-bit input steps of a float network to what a batch shows.
  static void calibrate(TrainedNetwork network, NDArray batch, Map<String, float[]> decoded) {
    try (NDManager memory = batch.getManager().newSubManager()) {
      TorchPass pass = new TorchPass(network, memory, decoded, TrainedNetwork.FLOATS, false, 0);
      pass.forward(batch);
      for (Node node : network.graph().nodes()) {
        String input = node.inputs().getFirst();
        if (network.layer(node).isEmpty() || network.isPixels(input)) {
          continue;
        }
        String key = TrainedNetwork.step(input, TrainedNetwork.FLOATS, Bits.MAX);
        int zero = network.zero(input, Bits.MAX);
        NDArray value = pass.values.get(input);
        float largest = value.max().getFloat() / ((1 << Bits.MAX) - 1 - zero);
        if (zero > 0) {
          largest = Math.max(largest, -value.min().getFloat() / zero);
        }
        float known = network.state().has(key) ? network.state().get(key)[0] : Float.MIN_NORMAL;
        network.state().put(key, new float[] {Math.max(known, largest)});
      }
    }
  }

  private NDArray forward(NDArray batch) {
    // Results belong to their operand's memory: with a copy of its own a pass frees all it makes.
    NDArray result = batch.duplicate();
    result.attach(memory);
    values.put(Architecture.INPUT, result);
    for (Node node : network.graph().nodes()) {
      result = run(node);
      values.put(node.outputs().getFirst(), result);
    }
    return result;
  }

  private NDArray run(Node node) {
    String input = node.inputs().getFirst();
    NDArray x = values.get(input);
    return switch (node.op()) {
      case Op.Conv conv -> {
        Layer layer = network.graph().layer(conv.layer());
        Op.Window window = conv.window();
        long rows = layer.layout().rows();
        long in = layer.layout().columns() / (window.kernelHeight() * window.kernelWidth());
        NDArray operand = input(layer, input, x);
        NDArray weights =
            weights(layer, input, new Shape(rows, window.kernelHeight(), window.kernelWidth(), in))
                .transpose(0, 3, 1, 2);
        NDArray y =
            TorchEngine.convolution(
                operand,
                weights,
                new Shape(window.strideHeight(), window.strideWidth()),
                new Shape(window.padTop(), window.padLeft()),
                new Shape(1, 1),
                conv.groups());
        yield activated(conv.activation(), residual(node, normed(layer, y)));
      }
      case Op.Linear linear -> {
        Layer layer = network.graph().layer(linear.layer());
        Shape shape = new Shape(layer.layout().rows(), layer.layout().columns());
        NDArray operand = input(layer, input, x);
        NDArray y = operand.matMul(weights(layer, input, shape).transpose());
        yield activated(linear.activation(), residual(node, normed(layer, y)));
      }
      case Op.Reduce reduce ->
          reduce.axes().size() == 2 ? Pool.globalAvgPool2d(x) : mean(reduce, x);
      case Op.Transpose transpose ->
          isImage(node)
              ? x
              : x.transpose(transpose.permutation().stream().mapToInt(axis -> axis).toArray());
      case Op.Reshape _ -> x.reshape(shape(x, network.constant(node.inputs().get(1)).toLongs()));
      case Op.MatMul _ -> x.matMul(values.get(node.inputs().get(1)));
      case Op.Softmax softmax -> x.softmax(softmax.axis());
      case Op.LayerNorm norm ->
          LayerNorm.layerNorm(
                  x,
                  new Shape(network.constant(node.inputs().get(1)).shape().dim(0)),
                  constant(node.inputs().get(1)),
                  constant(node.inputs().get(2)),
                  norm.epsilon())
              .singletonOrThrow();
      case Op.Binary binary -> binary(binary.kind(), x, operand(node.inputs().get(1)));
      case Op.Flatten _ -> x.reshape(x.getShape().get(0), -1);
      default -> throw new AssertionError("no training rule for " + node.op());
    };
  }

  /// The turning around of images to NHWC, which are NCHW here.
  private static boolean isImage(Node node) {
    return node.inputs().getFirst().equals(Architecture.INPUT);
  }

  private static NDArray binary(Op.Binary.Function kind, NDArray a, NDArray b) {
    return switch (kind) {
      case ADD -> a.add(b);
      case MUL -> a.mul(b);
      default -> throw new AssertionError("no training rule for " + kind);
    };
  }

  private static NDArray mean(Op.Reduce reduce, NDArray x) {
    return x.mean(new int[] {reduce.axes().getFirst()});
  }

  private static Shape shape(NDArray x, long[] dims) {
    for (int i = 0; i < dims.length; i++) {
      dims[i] = dims[i] == 0 ? x.getShape().get(i) : dims[i];
    }
    return new Shape(dims);
  }

  private NDArray operand(String name) {
    NDArray value = values.get(name);
    return value == null ? constant(name) : value;
  }

  private NDArray constant(String name) {
    Tensor value = network.constant(name);
    Shape shape = new Shape(value.shape().toArray());
    return network.isLearned(name)
        ? parameter(name, shape)
        : TorchEngine.array(memory, value.toFloats(), shape);
  }

  /// The step of the input is multiplied in, since [#input] leaves it out.
  private NDArray weights(Layer layer, String input, Shape shape) {
    int planes = network.planes(layer, width);
    NDArray weights =
        leaf(
            TrainedNetwork.weight(layer),
            decoded.get(TrainedNetwork.decodedName(layer, planes)),
            shape);
    return width == TrainedNetwork.FLOATS || network.isPixels(input)
        ? weights
        : weights.mul(step(layer, input));
  }

  private NDArray input(Layer layer, String name, NDArray x) {
    if (width == TrainedNetwork.FLOATS || network.isPixels(name)) {
      return x;
    }
    int bits = network.inputBits(layer, name, width);
    String key = TrainedNetwork.step(name, width, bits);
    NDArray known = codes.get(key);
    if (known != null) {
      return known;
    }
    int zero = network.zero(name, bits);
    int most = (1 << bits) - 1 - zero;
    if (learning && !network.state().has(key)) {
      float mean = x.stopGradient().abs().mean().getFloat();
      network.state().put(key, new float[] {(float) Math.max(2 * mean / Math.sqrt(most), 1e-4)});
    }
    double elements = (double) x.getShape().size() / x.getShape().get(0);
    gradientShares.put(key, 1 / Math.sqrt(elements * most));
    NDArray clipped = x.mul(TorchEngine.number(memory, 1).div(step(layer, name))).clip(-zero, most);
    NDArray rounded;
    if (learning) {
      NDArray position = clipped.stopGradient();
      rounded = clipped.add(position.round().subi(position));
    } else {
      rounded = clipped.round();
    }
    codes.put(key, rounded);
    return rounded;
  }

  private NDArray step(Layer layer, String input) {
    int bits = network.inputBits(layer, input, width);
    String key = TrainedNetwork.step(input, width, bits);
    return leaf(key, network.state().get(key), new Shape(1));
  }

  private NDArray normed(Layer layer, NDArray y) {
    int planes = network.planes(layer, width);
    Shape rows = new Shape(layer.layout().rows());
    if (!network.isNormed(layer)) {
      NDArray scaled =
          network.isScaled(layer) ? y.mul(parameter(TrainedNetwork.gain(layer, planes), rows)) : y;
      return scaled.add(parameter(TrainedNetwork.bias(layer, planes), rows));
    }
    NDList normed =
        BatchNorm.batchNorm(
            y,
            statistics(TrainedNetwork.norm(layer, planes, "mean"), rows),
            statistics(TrainedNetwork.norm(layer, planes, "var"), rows),
            parameter(TrainedNetwork.norm(layer, planes, "gamma"), rows),
            parameter(TrainedNetwork.norm(layer, planes, "beta"), rows),
            1,
            1 - newShare, // DJL's momentum is the share that is kept
            TrainedNetwork.EPSILON,
            newShare > 0);
    return normed.singletonOrThrow();
  }

  private NDArray residual(Node node, NDArray y) {
    return node.inputs().size() > 1 ? y.add(values.get(node.inputs().get(1))) : y;
  }

  private static NDArray activated(Activation activation, NDArray y) {
    return switch (activation.kind()) {
      case IDENTITY -> y;
      case RELU -> ai.djl.nn.Activation.relu(y);
      case GELU -> ai.djl.nn.Activation.gelu(y);
      default -> throw new AssertionError("no training rule for " + activation);
    };
  }

  private NDArray parameter(String name, Shape shape) {
    return leaf(name, network.state().get(name), shape);
  }

  private NDArray leaf(String name, float[] data, Shape shape) {
    return leaves.computeIfAbsent(
        name,
        _ -> {
          NDArray leaf = TorchEngine.array(memory, data, shape);
          leaf.setRequiresGradient(learning);
          return leaf;
        });
  }

  private NDArray statistics(String name, Shape shape) {
    NDArray array = TorchEngine.array(memory, network.state().get(name), shape);
    if (newShare > 0) {
      running.put(name, array);
    }
    return array;
  }

  static List<Integer> classes(float[] logits, int classes) {
    List<Integer> best = new java.util.ArrayList<>();
    for (int row = 0; row < logits.length / classes; row++) {
      int at = row * classes;
      int found = 0;
      for (int i = 1; i < classes; i++) {
        if (logits[at + i] > logits[at + found]) {
          found = i;
        }
      }
      best.add(found);
    }
    return best;
  }
}
