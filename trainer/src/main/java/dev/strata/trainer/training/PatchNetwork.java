package dev.strata.trainer.training;

import dev.strata.graph.Activation;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;

/// Networks over square patches of an image: two blocks that mix patches, by attention or by a
/// perceptron, and then the columns of each patch. Everything is added to what a block began with
/// and normalised before it is read.
final class PatchNetwork {
  private static final int PATCH = 4;
  private static final int HEADS = 4;
  private static final int BLOCKS = 2;
  private static final Activation GELU = Activation.of(Activation.Kind.GELU);

  private final GraphDraft draft;
  private final int patches;
  private final int width;

  private PatchNetwork(GraphDraft draft, int patches, int width) {
    this.draft = draft;
    this.patches = patches;
    this.width = width;
  }

  /// Columns of a patch, and of the features.
  static int width(int channels) {
    return HEADS * channels;
  }

  /// @return the mean over all patches, `[samples][width]`
  static String features(GraphDraft draft, RunFile.Network network, Images images) {
    if (images.height() % PATCH != 0 || images.width() % PATCH != 0) {
      throw new InvalidRunException(
          "architecture.kind: got images of %d x %d, expected multiples of %d for %s"
              .formatted(images.width(), images.height(), PATCH, RunKeys.written(network.kind())));
    }
    int down = images.height() / PATCH;
    int across = images.width() / PATCH;
    PatchNetwork built = new PatchNetwork(draft, down * across, width(network.channels()));
    String x = built.embedding(images, down, across);
    boolean attends = network.kind() == Architecture.Kind.TRANSFORMER;
    if (attends) {
      String positions = draft.learned("positions", Shape.of(built.patches, built.width));
      x = draft.node("placed", new Op.Binary(Op.Binary.Function.ADD), x, positions);
    }
    for (int block = 1; block <= BLOCKS; block++) {
      String name = "block%d.".formatted(block);
      x = attends ? built.attention(name, x) : built.mixing(name, x);
      x = built.perceptron(name, x);
    }
    String normed = draft.layerNorm("norm", x, built.width);
    return draft.node(
        "mean", new Op.Reduce(Op.Reduce.Reduction.MEAN, java.util.List.of(1), false), normed);
  }

  private String embedding(Images images, int down, int across) {
    int channels = images.channels();
    String x = draft.reshape("tiles", Architecture.INPUT, 0, channels, down, PATCH, across, PATCH);
    x = draft.transpose("tiles.ordered", x, 0, 2, 4, 1, 3, 5);
    int pixels = channels * PATCH * PATCH;
    x = draft.reshape("patches", x, 0, patches, pixels);
    return draft.linear("embedding", pixels, width, Activation.IDENTITY, x);
  }

  private String attention(String name, String x) {
    String normed = draft.layerNorm(name + "norm1", x, width);
    String queries = heads(name + "query", normed, 0, 2, 1, 3);
    String keys = heads(name + "key", normed, 0, 2, 3, 1);
    String values = heads(name + "value", normed, 0, 2, 1, 3);
    String scale =
        draft.fixed(
            name + "scale",
            Tensor.of(Shape.of(1), new float[] {(float) (1 / Math.sqrt((double) width / HEADS))}));
    String y = draft.node(name + "scores", new Op.MatMul(), queries, keys);
    y = draft.node(name + "scaled", new Op.Binary(Op.Binary.Function.MUL), y, scale);
    y = draft.node(name + "shares", new Op.Softmax(-1), y);
    y = draft.node(name + "attended", new Op.MatMul(), y, values);
    y = draft.transpose(name + "joined", y, 0, 2, 1, 3);
    y = draft.reshape(name + "columns", y, 0, patches, width);
    return draft.linear(name + "output", width, width, Activation.IDENTITY, y, x);
  }

  private String heads(String name, String x, Integer... permutation) {
    String y = draft.linear(name, width, width, Activation.IDENTITY, x);
    y = draft.reshape(name + ".heads", y, 0, patches, HEADS, width / HEADS);
    return draft.transpose(name + ".ordered", y, permutation);
  }

  private String mixing(String name, String x) {
    String y = draft.layerNorm(name + "norm1", x, width);
    y = draft.transpose(name + "columns", y, 0, 2, 1);
    y = draft.linear(name + "mix1", patches, width, GELU, y);
    y = draft.linear(name + "mix2", width, patches, Activation.IDENTITY, y);
    y = draft.transpose(name + "patches", y, 0, 2, 1);
    return draft.node(name + "mixed", new Op.Binary(Op.Binary.Function.ADD), y, x);
  }

  private String perceptron(String name, String x) {
    String y = draft.layerNorm(name + "norm2", x, width);
    y = draft.linear(name + "wide", width, 2 * width, GELU, y);
    return draft.linear(name + "narrow", 2 * width, width, Activation.IDENTITY, y, x);
  }
}
