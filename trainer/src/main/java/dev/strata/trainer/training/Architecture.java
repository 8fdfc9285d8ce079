package dev.strata.trainer.training;

import dev.strata.graph.Activation;
import dev.strata.graph.DataType;
import dev.strata.graph.Layer;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.TensorSpec;
import dev.strata.precision.PlaneLayout;
import java.util.ArrayList;
import java.util.List;

/// Builds the graph of a network, as it is served and as it is trained. A convolution stands for
/// convolution and batch norm; all values between layers are results of ReLU.
final class Architecture {
  static final String INPUT = "pixels";
  static final String LOGITS = "logits";

  /// What can be trained.
  public enum Kind {
    /// A stem and one, two or three residual blocks in each of three stages.
    RESNET_8,
    RESNET_14,
    RESNET_20,
    /// Two convolutions in each of three stages, then one linear layer.
    VGG_SMALL,
    /// A stem and six pairs of depthwise and 1 x 1 convolutions.
    MOBILENET,
    /// Two hidden layers of 8 times the channels.
    MLP
  }

  private final List<Node> nodes = new ArrayList<>();
  private final List<Layer> layers = new ArrayList<>();

  private Architecture() {}

  static ModelGraph build(RunFile.Network network, Images images, int classes) {
    Architecture built = new Architecture();
    int base = network.channels();
    String features =
        switch (network.kind()) {
          case RESNET_8 -> built.residual(images, base, 1);
          case RESNET_14 -> built.residual(images, base, 2);
          case RESNET_20 -> built.residual(images, base, 3);
          case VGG_SMALL -> built.vgg(images, base);
          case MOBILENET -> built.mobile(images, base);
          case MLP -> built.perceptron(images, base);
        };
    int width = network.kind() == Kind.MLP ? 8 * base : 4 * base;
    built.linear("classifier", features, width, classes, LOGITS, Activation.IDENTITY);
    Shape input = Shape.of(-1, images.channels(), images.height(), images.width());
    return new ModelGraph(
        List.of(new TensorSpec(INPUT, DataType.FP32, input)),
        List.of(LOGITS),
        built.nodes,
        List.of(),
        built.layers);
  }

  private String residual(Images images, int base, int blocks) {
    String x = stem(images, base);
    int in = base;
    for (int stage = 0; stage < 3; stage++) {
      int out = base << stage;
      for (int block = 0; block < blocks; block++) {
        String name = "stage%d.block%d".formatted(stage + 1, block + 1);
        int stride = stage > 0 && block == 0 ? 2 : 1;
        String shortcut = x;
        if (stride > 1) {
          shortcut = conv(name + ".shortcut", List.of(x), in, out, 1, stride, Activation.IDENTITY);
        }
        String inner = conv(name + ".conv1", List.of(x), in, out, 3, stride, Activation.RELU);
        x = conv(name + ".conv2", List.of(inner, shortcut), out, out, 3, 1, Activation.RELU);
        in = out;
      }
    }
    return mean(x);
  }

  private String vgg(Images images, int base) {
    String x = stem(images, base);
    int in = base;
    for (int stage = 0; stage < 3; stage++) {
      int out = base << stage;
      String name = "stage%d.".formatted(stage + 1);
      x = conv(name + "conv1", List.of(x), in, out, 3, stage > 0 ? 2 : 1, Activation.RELU);
      x = conv(name + "conv2", List.of(x), out, out, 3, 1, Activation.RELU);
      in = out;
    }
    return mean(x);
  }

  private String mobile(Images images, int base) {
    String x = stem(images, base);
    int in = base;
    for (int block = 0; block < 6; block++) {
      int out = base << (block / 2);
      String name = "block%d.".formatted(block + 1);
      x = depthwise(name + "depthwise", x, in, in < out ? 2 : 1);
      x = conv(name + "pointwise", List.of(x), in, out, 1, 1, Activation.RELU);
      in = out;
    }
    return mean(x);
  }

  private String perceptron(Images images, int base) {
    nodes.add(new Node("flat", new Op.Flatten(1), List.of(INPUT), List.of("flat")));
    linear("hidden1", "flat", images.size(), 8 * base, "hidden1", Activation.RELU);
    linear("hidden2", "hidden1", 8 * base, 8 * base, "hidden2", Activation.RELU);
    return "hidden2";
  }

  private String stem(Images images, int base) {
    nodes.add(
        new Node(
            "channels-last",
            new Op.Transpose(List.of(0, 2, 3, 1)),
            List.of(INPUT),
            List.of("image")));
    return conv("stem", List.of("image"), images.channels(), base, 3, 1, Activation.RELU);
  }

  private String conv(
      String name,
      List<String> inputs,
      int in,
      int out,
      int kernel,
      int stride,
      Activation activation) {
    PlaneLayout layout = PlaneLayout.perChannel(out, kernel * kernel * in, 1);
    layers.add(new Layer(name, Layer.Kind.CONV, Layer.Storage.PLANES, layout));
    return node(name, new Op.Conv(name, window(kernel, stride), 1, activation), inputs);
  }

  private String depthwise(String name, String input, int channels, int stride) {
    PlaneLayout layout = PlaneLayout.perChannel(channels, 9, 1);
    layers.add(new Layer(name, Layer.Kind.DEPTHWISE, Layer.Storage.PLANES, layout));
    Op op = new Op.Conv(name, window(3, stride), channels, Activation.RELU);
    return node(name, op, List.of(input));
  }

  private void linear(
      String name, String input, int in, int out, String output, Activation activation) {
    PlaneLayout layout = PlaneLayout.perChannel(out, in, 1);
    layers.add(new Layer(name, Layer.Kind.LINEAR, Layer.Storage.PLANES, layout));
    nodes.add(new Node(name, new Op.Linear(name, activation), List.of(input), List.of(output)));
  }

  private String mean(String x) {
    return node("mean", new Op.Reduce(Op.Reduce.Reduction.MEAN, List.of(1, 2), false), List.of(x));
  }

  private String node(String name, Op op, List<String> inputs) {
    nodes.add(new Node(name, op, inputs, List.of(name)));
    return name;
  }

  private static Op.Window window(int kernel, int stride) {
    int pad = kernel / 2;
    return new Op.Window(kernel, kernel, stride, stride, 1, 1, pad, pad, pad, pad);
  }
}
