package dev.strata.trainer.training;

import dev.strata.graph.Activation;
import dev.strata.graph.DataType;
import dev.strata.graph.Layer;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.TensorSpec;
import java.util.List;

/// Builds the graph of a network, as it is served and as it is trained. A convolution stands for
/// convolution and batch norm.
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
    MLP,
    /// Perceptrons over the patches of an image and over the columns of each, in turn.
    VISION_MLP,
    /// The same with attention over the patches.
    TRANSFORMER
  }

  private final GraphDraft draft = new GraphDraft();

  private Architecture() {}

  static TrainableGraph build(RunFile.Network network, Images images, int classes) {
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
          case VISION_MLP, TRANSFORMER -> PatchNetwork.features(built.draft, network, images);
        };
    int width =
        switch (network.kind()) {
          case RESNET_8, RESNET_14, RESNET_20, VGG_SMALL, MOBILENET -> 4 * base;
          case MLP -> 8 * base;
          case VISION_MLP, TRANSFORMER -> PatchNetwork.width(base);
        };
    built.draft.layer("classifier", Layer.Kind.LINEAR, classes, width);
    Op classifier = new Op.Linear("classifier", Activation.IDENTITY);
    built.draft.node(LOGITS, classifier, features);
    Shape input = Shape.of(-1, images.channels(), images.height(), images.width());
    return built.draft.finish(new TensorSpec(INPUT, DataType.FP32, input), LOGITS);
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
    String x = draft.node("flat", new Op.Flatten(1), INPUT);
    x = draft.linear("hidden1", images.size(), 8 * base, Activation.RELU, x);
    return draft.linear("hidden2", 8 * base, 8 * base, Activation.RELU, x);
  }

  private String stem(Images images, int base) {
    String x = draft.transpose("image", INPUT, 0, 2, 3, 1);
    return conv("stem", List.of(x), images.channels(), base, 3, 1, Activation.RELU);
  }

  private String conv(
      String name,
      List<String> inputs,
      int in,
      int out,
      int kernel,
      int stride,
      Activation activation) {
    draft.layer(name, Layer.Kind.CONV, out, kernel * kernel * in);
    Op op = new Op.Conv(name, window(kernel, stride), 1, activation);
    return draft.node(name, op, inputs.toArray(String[]::new));
  }

  private String depthwise(String name, String input, int channels, int stride) {
    draft.layer(name, Layer.Kind.DEPTHWISE, channels, 9);
    return draft.node(name, new Op.Conv(name, window(3, stride), channels, Activation.RELU), input);
  }

  private String mean(String x) {
    return draft.node("mean", new Op.Reduce(Op.Reduce.Reduction.MEAN, List.of(1, 2), false), x);
  }

  private static Op.Window window(int kernel, int stride) {
    int pad = kernel / 2;
    return new Op.Window(kernel, kernel, stride, stride, 1, 1, pad, pad, pad, pad);
  }
}
