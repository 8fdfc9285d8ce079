package dev.strata.trainer.cli;

import dev.strata.graph.Postprocessing;
import dev.strata.graph.Preprocessing;
import dev.strata.precision.Bits;
import dev.strata.processing.ModelProcessing;
import dev.strata.trainer.eval.SampleSet;
import dev.strata.trainer.importing.ModelImport;
import dev.strata.trainer.importing.ModelInterface;
import dev.strata.trainer.onnx.FloatModel;
import dev.strata.trainer.onnx.OnnxImporter;
import dev.strata.trainer.quantize.QuantizationSettings;
import dev.strata.trainer.quantize.RangeRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Turns an ONNX network into a layered artifact.
@Command(
    name = "import",
    description = "Turn an ONNX model (opset 11 to 21) into one layered artifact with 1 to 8 bits.")
final class ImportCommand implements Callable<Integer> {

  @Parameters(paramLabel = "MODEL.onnx", description = "The network.")
  private Path onnx;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      required = true,
      description = "The artifact to write.")
  private Path output;

  @Option(
      names = "--name",
      description = "What the model calls itself; default: the output file's name.")
  private Optional<String> name;

  @Option(
      names = "--calibration",
      paramLabel = "DATA",
      description =
          "Typical inputs: .npz arrays by input name; with --tokenizer a .txt of one text a line;"
              + " with --image IDX images or a folder of PNG and JPEG files. Without it the"
              + " weights alone decide, which costs quality.")
  private Optional<Path> calibration;

  @Option(
      names = "--calibration-samples",
      defaultValue = "256",
      paramLabel = "N",
      description = "Use at most this many samples (default ${DEFAULT-VALUE}).")
  private int calibrationSamples;

  @Option(
      names = "--default-bits",
      defaultValue = "8",
      converter = BitsConverter.class,
      paramLabel = "BITS",
      description = "Precision of a request that names none (default ${DEFAULT-VALUE}).")
  private Bits defaultBits;

  @Option(
      names = "--group-size",
      defaultValue = "64",
      paramLabel = "N",
      description =
          "Inputs of a linear layer that share a step, a multiple of 32 (default"
              + " ${DEFAULT-VALUE}).")
  private int groupSize;

  @Option(
      names = "--protect",
      split = ",",
      paramLabel = "WHAT",
      description =
          "Layers that keep 8 planes at every width: first, last, embedding, depthwise, none, or"
              + " layer names (default first,last,embedding,depthwise).")
  private List<String> protectedLayers = List.of("first", "last", "embedding", "depthwise");

  @Option(
      names = "--allocate-planes",
      description =
          "Give layers planes by their measured sensitivity, so that a width is an average; needs"
              + " calibration.")
  private boolean allocatedPlanes;

  @Option(
      names = "--activation-range",
      converter = RangeRuleConverter.class,
      paramLabel = "RULE",
      description =
          "Range of the inputs of convolutions: mse (the least rounding error, default), or"
              + " percentile:P with P from over 50 to 100 percent of the values; needs"
              + " calibration.")
  private RangeRule activationRange = new RangeRule.LeastError();

  @Option(
      names = "--distill",
      split = ",",
      converter = BitsConverter.class,
      paramLabel = "BITS",
      description =
          "Widths of 1 to 7 bits whose scales, offsets and biases are tuned until the network"
              + " answers more like that of floats; needs calibration, and minutes.")
  private List<Bits> distilled = List.of();

  @Option(
      names = "--distill-epochs",
      defaultValue = "4",
      paramLabel = "N",
      description = "Runs over the calibration data for each of them (default ${DEFAULT-VALUE}).")
  private int distillEpochs;

  @ArgGroup(validate = false, heading = "%nText models:%n")
  private TextOptions text = new TextOptions();

  @ArgGroup(validate = false, heading = "%nImage models:%n")
  private ImageOptions image = new ImageOptions();

  @ArgGroup(validate = false, heading = "%nWhat the outputs mean:%n")
  private OutputOptions outputs = new OutputOptions();

  @Spec private CommandSpec spec;

  private static final class TextOptions {
    @Option(
        names = "--tokenizer",
        paramLabel = "tokenizer.json",
        description = "A Hugging Face tokenizer; clients then send texts.")
    private Optional<Path> tokenizer = Optional.empty();

    @Option(
        names = "--max-tokens",
        defaultValue = "256",
        paramLabel = "N",
        description = "Longer texts are cut (default ${DEFAULT-VALUE}).")
    private int maxTokens = 256;
  }

  private static final class ImageOptions {
    @Option(
        names = "--image",
        paramLabel = "CxHxW",
        description = "Clients send PNG, JPEG or FP32 images; size of the network's input.")
    private Optional<String> size = Optional.empty();

    @Option(
        names = "--mean",
        split = ",",
        paramLabel = "M",
        description = "Mean of each channel, in 0..1 (default 0).")
    private List<Float> mean = List.of();

    @Option(
        names = "--std",
        split = ",",
        paramLabel = "S",
        description = "Deviation of each channel (default 1).")
    private List<Float> std = List.of();

    @Option(
        names = "--channel-order",
        defaultValue = "RGB",
        paramLabel = "ORDER",
        description = "RGB or BGR (default ${DEFAULT-VALUE}).")
    private String channelOrder = "RGB";

    @Option(
        names = "--keep-ratio",
        paramLabel = "MAX-WIDTH",
        description = "Scale to the height, pad on the right, up to this width.")
    private Optional<Integer> maxWidth = Optional.empty();
  }

  private static final class OutputOptions {
    @Option(
        names = "--pooling",
        paramLabel = "mean",
        description = "Mean of the hidden states as one normalised vector 'embedding'.")
    private Optional<String> pooling = Optional.empty();

    @Option(names = "--softmax", description = "Logits as 'probabilities'.")
    private boolean softmax;

    @Option(
        names = "--labels",
        paramLabel = "FILE",
        description =
            "Class names, one a line. Without --softmax the outputs are 'label' and 'confidence'.")
    private Optional<Path> labels = Optional.empty();

    @Option(
        names = "--charset",
        paramLabel = "FILE",
        description = "Characters, one a line: CTC steps as 'text' and 'confidence'.")
    private Optional<Path> charset = Optional.empty();
  }

  @Override
  public Integer call() throws IOException {
    if (allocatedPlanes && calibration.isEmpty()) {
      throw CommandFailure.usage("--allocate-planes: got no --calibration, expected some");
    }
    if (!distilled.isEmpty() && calibration.isEmpty()) {
      throw CommandFailure.usage("--distill: got no --calibration, expected some");
    }
    if (distilled.contains(new Bits(Bits.MAX))) {
      throw CommandFailure.usage("--distill: got 8 bits, expected widths of 1 to 7");
    }
    if (distillEpochs < 1) {
      throw CommandFailure.usage(
          "--distill-epochs: got %d, expected 1 or more".formatted(distillEpochs));
    }
    try (Progress progress = Progress.on(onnx.getFileName().toString())) {
      progress.advanced("reading", 0, 0);
      ModelInterface face = face();
      SampleSet samples =
          calibration.isEmpty()
              ? new SampleSet(List.of(), List.of())
              : SampleSet.read(calibration.get(), face.preprocessing())
                  .range(0, calibrationSamples);
      new ModelImport(
              modelName(), onnx, face, samples, settings(), allocatedPlanes, defaultBits, Map.of())
          .run(output, progress::advanced);
    }
    spec.commandLine()
        .getOut()
        .printf(
            "%s: %,d bytes; see it with: strata inspect %s%n", output, Files.size(output), output);
    return ExitCode.OK;
  }

  private String modelName() {
    return name.orElseGet(() -> output.getFileName().toString().replaceFirst("\\.[^.]*$", ""));
  }

  private QuantizationSettings settings() {
    Set<QuantizationSettings.Role> roles = EnumSet.noneOf(QuantizationSettings.Role.class);
    Set<String> layers = new java.util.TreeSet<>(protectedLayers);
    layers.remove("none");
    for (QuantizationSettings.Role role : QuantizationSettings.Role.values()) {
      if (layers.remove(role.name().toLowerCase(java.util.Locale.ROOT))) {
        roles.add(role);
      }
    }
    QuantizationSettings defaults = QuantizationSettings.defaults();
    QuantizationSettings.Distillation distillation =
        distilled.isEmpty()
            ? QuantizationSettings.Distillation.NONE
            : new QuantizationSettings.Distillation(Set.copyOf(distilled), distillEpochs);
    return defaults
        .withGroups(groupSize, defaults.convolutionGroup())
        .withKeptWide(roles, layers)
        .withRangeRule(activationRange)
        .withDistillation(distillation);
  }

  private ModelInterface face() throws IOException {
    // The graph's own names decide what the steps around it read and write.
    List<String> graphInputs;
    List<String> graphOutputs;
    try (FloatModel model = OnnxImporter.read(onnx)) {
      graphInputs = model.graph().inputs().stream().map(input -> input.name()).toList();
      graphOutputs = model.graph().outputs();
    }
    Map<String, byte[]> assets = new HashMap<>();
    if (text.tokenizer.isPresent()) {
      assets.put(ModelProcessing.TOKENIZER, Files.readAllBytes(text.tokenizer.get()));
    }
    if (outputs.charset.isPresent()) {
      assets.put(ModelProcessing.CHARSET, Files.readAllBytes(outputs.charset.get()));
    }
    List<String> labels =
        outputs.labels.isPresent() ? Files.readAllLines(outputs.labels.get()) : List.of();
    return new ModelInterface(
        preprocessing(graphInputs), postprocessing(graphOutputs.getFirst()), labels, assets);
  }

  private Preprocessing preprocessing(List<String> graphInputs) {
    if (text.tokenizer.isPresent()) {
      if (!graphInputs.contains("input_ids")) {
        throw CommandFailure.badInput(
            "--tokenizer: the network's inputs are %s, expected one called input_ids"
                .formatted(graphInputs));
      }
      return new Preprocessing.Text(
          "text", text.maxTokens, "input_ids", "attention_mask", "token_type_ids");
    }
    if (image.size.isEmpty()) {
      return new Preprocessing.None();
    }
    String[] size = image.size.get().split("x", -1);
    if (size.length != 3 || !String.join("", size).matches("[1-9][0-9]*")) {
      throw CommandFailure.usage(
          "--image: got '%s', expected CxHxW such as 3x224x224".formatted(image.size.get()));
    }
    int channels = Integer.parseInt(size[0]);
    int width = Integer.parseInt(size[2]);
    return new Preprocessing.Image(
        "image",
        graphInputs.getFirst(),
        channels,
        image.channelOrder,
        Integer.parseInt(size[1]),
        width,
        image.maxWidth.orElse(width),
        image.maxWidth.isPresent()
            ? Preprocessing.Image.Fit.KEEP_RATIO
            : Preprocessing.Image.Fit.STRETCH,
        perChannel(image.mean, channels, 0),
        perChannel(image.std, channels, 1));
  }

  private static List<Float> perChannel(List<Float> given, int channels, float fallback) {
    return switch (given.size()) {
      case 0 -> Collections.nCopies(channels, fallback);
      case 1 -> Collections.nCopies(channels, given.getFirst());
      default -> given;
    };
  }

  private Postprocessing postprocessing(String graphOutput) {
    if (outputs.pooling.isPresent()) {
      if (!outputs.pooling.get().equals("mean")) {
        throw CommandFailure.usage(
            "--pooling: got '%s', expected mean".formatted(outputs.pooling.get()));
      }
      return new Postprocessing.MeanPool(graphOutput, "embedding");
    }
    if (outputs.softmax) {
      return new Postprocessing.Softmax(graphOutput, "probabilities");
    }
    if (outputs.charset.isPresent()) {
      return new Postprocessing.Ctc(graphOutput, "text", "confidence");
    }
    return outputs.labels.isPresent()
        ? new Postprocessing.Label(graphOutput, "label", "confidence")
        : new Postprocessing.None();
  }
}
