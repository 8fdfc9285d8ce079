package dev.strata.trainer.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;

/// What a training run is: one YAML file. docs/training.md lists the keys.
///
/// @param text the file as it was read: provenance, and what a checkpoint belongs to
/// @param threads of the tensor library; results depend on it, so it is part of the run
/// @param widths trained, descending
/// @param leastActivationBits where activations are as wide as weights
/// @param keptWide roles of layers with 8 planes and 8-bit inputs at every width
public record RunFile(
    String text,
    String name,
    int seed,
    int threads,
    Data data,
    Network network,
    Method method,
    List<Integer> widths,
    boolean activationsLikeWeights,
    int activationBits,
    int leastActivationBits,
    List<String> keptWide,
    Objective objective,
    Schedule schedule,
    Augmentation augmentation) {

  public enum Method {
    /// All widths over one set of weights.
    ONCE_QAT,
    /// One width alone.
    DEDICATED,
    /// 8 bits alone; narrower widths are cut from it untrained.
    TRUNCATION,
    /// Floats; the artifact is quantized from them untrained.
    FP32
  }

  public enum Objective {
    /// Every width learns from the labels.
    SUM,
    /// The widest learns from the labels, each other half from them and half from the answers of
    /// the next wider one.
    RECURSIVE,
    /// Per step the widest from the labels, the narrowest and one drawn at random from the widest.
    SANDWICH
  }

  /// @param source `fashion-mnist` or `mnist`, or `idx`, `npz` or `folder` at `path`
  public record Data(
      String source, String path, ImageSize image, int trainSamples, int testSamples) {}

  /// What the image files of a folder become; 0: what they are.
  public record ImageSize(int channels, int height, int width) {}

  public record Network(Architecture.Kind kind, int channels) {}

  /// @param warmUp share of all steps in which the rate rises linearly; it then falls as a cosine
  public record Schedule(
      int epochs,
      int batch,
      double learningRate,
      double momentum,
      double weightDecay,
      double warmUp) {}

  /// @param shift most pixels an image is moved by along each axis
  /// @param flip whether half of the images are mirrored
  public record Augmentation(int shift, boolean flip) {}

  public RunFile {
    widths = List.copyOf(widths);
    keptWide = List.copyOf(keptWide);
  }

  /// @throws InvalidRunException naming the key, what was got and what was expected
  public static RunFile read(Path file) throws IOException {
    return parse(Files.readString(file, StandardCharsets.UTF_8));
  }

  static RunFile parse(String text) {
    ObjectMapper yaml =
        new ObjectMapper(
            YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build());
    RunKeys top;
    try {
      top = new RunKeys("", yaml.readTree(text));
    } catch (JsonProcessingException malformed) {
      throw new InvalidRunException(
          "run file: malformed YAML: "
              + malformed.getOriginalMessage().lines().findFirst().orElse(""));
    }
    RunKeys data = top.section("data");
    RunKeys image = data.section("image");
    RunKeys network = top.section("architecture");
    RunKeys schedule = top.section("schedule");
    RunKeys augmentation = top.section("augmentation");
    Method method = top.choice("method", Method.ONCE_QAT);
    String activations = top.text("activation-bits", "weights");
    boolean like = activations.equals("weights");
    RunFile run =
        new RunFile(
            text,
            top.requiredText("name"),
            top.integer("seed", 1, 0, Integer.MAX_VALUE),
            top.integer("threads", 2, 1, 256),
            new Data(
                data.text("source", "fashion-mnist"),
                data.text("path", ""),
                new ImageSize(
                    image.integer("channels", 0, 1, 3),
                    image.integer("height", 0, 1, 4096),
                    image.integer("width", 0, 1, 4096)),
                data.integer("train-samples", Integer.MAX_VALUE, 1, Integer.MAX_VALUE),
                data.integer("test-samples", Integer.MAX_VALUE, 1, Integer.MAX_VALUE)),
            new Network(
                network.choice("kind", Architecture.Kind.RESNET_8),
                network.integer("channels", 16, 1, 1024)),
            method,
            widths(top, method),
            like,
            like ? 8 : top.integer("activation-bits", 8, 1, 8),
            top.integer("least-activation-bits", 1, 1, 8),
            top.texts("protect", List.of("first", "last")),
            top.choice("objective", Objective.SUM),
            new Schedule(
                schedule.integer("epochs", 10, 1, 100_000),
                schedule.integer("batch", 128, 2, 65_536),
                schedule.number("learning-rate", 0.1, 1e-6, 100),
                schedule.number("momentum", 0.9, 0, 0.9999),
                schedule.number("weight-decay", 1e-4, 0, 1),
                schedule.number("warm-up", 0.05, 0, 1)),
            new Augmentation(
                augmentation.integer("shift", 0, 0, 64), augmentation.flag("flip", false)));
    for (RunKeys keys : List.of(top, data, image, network, schedule, augmentation)) {
      keys.requireNoOthers();
    }
    requireImage(run.data());
    for (String role : run.keptWide()) {
      if (!role.equals("first") && !role.equals("last")) {
        throw new InvalidRunException("protect: got '%s', expected first or last".formatted(role));
      }
    }
    return run;
  }

  private static void requireImage(Data data) {
    ImageSize image = data.image();
    if (image.channels() == 2) {
      throw new InvalidRunException("data.image.channels: got 2, expected 1 or 3");
    }
    if ((image.height() == 0) != (image.width() == 0)) {
      throw new InvalidRunException(
          "data.image: got height %d and width %d, expected both or none"
              .formatted(image.height(), image.width()));
    }
    if (!data.source().equals("folder") && !image.equals(new ImageSize(0, 0, 0))) {
      throw new InvalidRunException(
          "data.image: got it for the source %s, expected it for folder only"
              .formatted(data.source()));
    }
  }

  private static List<Integer> widths(RunKeys top, Method method) {
    List<Integer> fallback =
        switch (method) {
          case ONCE_QAT -> List.of(8, 6, 5, 4, 3, 2, 1);
          case DEDICATED, TRUNCATION, FP32 -> List.of(8);
        };
    List<Integer> widths = top.integers("widths", fallback, 1, 8);
    if (widths.isEmpty() || new TreeSet<>(widths).size() != widths.size()) {
      throw new InvalidRunException(
          "widths: got %s, expected different numbers from 1 to 8".formatted(widths));
    }
    if (method != Method.ONCE_QAT && widths.size() != 1) {
      throw new InvalidRunException(
          "widths: got %s, expected one width for the method %s"
              .formatted(widths, RunKeys.written(method)));
    }
    if (method == Method.TRUNCATION && widths.getFirst() != 8) {
      throw new InvalidRunException(
          "widths: got %s, expected [8] for the method truncation".formatted(widths));
    }
    return widths.stream().sorted(java.util.Comparator.reverseOrder()).toList();
  }

  /// The same run in another way; with one width no objective is left to choose.
  RunFile with(Method other, List<Integer> otherWidths) {
    try {
      ObjectMapper yaml = new ObjectMapper(new YAMLFactory());
      ObjectNode keys = (ObjectNode) yaml.readTree(text);
      keys.put("method", RunKeys.written(other));
      keys.set("widths", yaml.valueToTree(otherWidths));
      if (otherWidths.size() == 1) {
        keys.remove("objective");
      }
      return parse(yaml.writeValueAsString(keys));
    } catch (JsonProcessingException malformed) {
      throw new AssertionError("read before", malformed);
    }
  }

  /// Whether another file leads to the same network, under whatever name and in whatever words.
  boolean trainsLike(RunFile other) {
    return essence().equals(other.essence());
  }

  /// Without what makes no difference: with one width there is no objective to choose, and a
  /// network for one width never sees activations of another.
  private RunFile essence() {
    boolean alone = method == Method.DEDICATED;
    return new RunFile(
        "",
        "",
        seed,
        threads,
        data,
        network,
        method,
        widths,
        activationsLikeWeights && !alone,
        alone ? activationBits(widths.getFirst()) : activationBits,
        activationsLikeWeights && !alone ? leastActivationBits : 1,
        keptWide,
        widths.size() == 1 ? Objective.SUM : objective,
        schedule,
        augmentation);
  }

  /// Bits of the inputs of a layer that reads `planes` planes.
  public int activationBits(int planes) {
    return activationsLikeWeights ? Math.max(planes, leastActivationBits) : activationBits;
  }
}
