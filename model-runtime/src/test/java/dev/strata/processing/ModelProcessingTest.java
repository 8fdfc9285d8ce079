package dev.strata.processing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.strata.graph.DataType;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Postprocessing;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSource;
import dev.strata.graph.TensorSpec;
import dev.strata.precision.Bits;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class ModelProcessingTest {

  private static final TensorSpec IMAGE = new TensorSpec("image", DataType.BYTES, Shape.of(-1));
  private static final TensorSpec TEXT = new TensorSpec("text", DataType.BYTES, Shape.of(-1));

  @Test
  void textsArePaddedToTheLongestOfTheirBatchAndMasked() {
    try (ModelProcessing processing = textModel(16)) {
      PreparedBatch batch =
          processing.prepare(Map.of("text", texts("a red shirt", "shoes"))).getFirst();
      long[] ids = {2, 4, 5, 8, 3, 2, 10, 9, 3, 0};
      long[] mask = {1, 1, 1, 1, 1, 1, 1, 1, 1, 0};
      assertArrayEquals(ids, batch.graphInputs().get("input_ids").toLongs());
      assertArrayEquals(mask, batch.graphInputs().get("attention_mask").toLongs());
      assertEquals(Shape.of(2, 5), batch.graphInputs().get("input_ids").shape());
    }
  }

  @Test
  void longTextsAreCutToTheMaximum() {
    try (ModelProcessing processing = textModel(4)) {
      PreparedBatch batch =
          processing.prepare(Map.of("text", texts("a red green red shirt"))).getFirst();
      assertArrayEquals(new long[] {2, 4, 5, 3}, batch.graphInputs().get("input_ids").toLongs());
    }
  }

  @Test
  void graphInputsThatTheGraphLacksAreLeftOut() {
    try (ModelProcessing processing = textModel(16)) {
      PreparedBatch batch = processing.prepare(Map.of("text", texts("a"))).getFirst();
      assertEquals(2, batch.graphInputs().size());
    }
  }

  @Test
  void aRejectedInputIsNamedWithItsElement() {
    try (ModelProcessing text = textModel(16);
        ModelProcessing image = imageModel(grey(28))) {
      byte[] latin = {(byte) 0xE9, 'a'};
      assertRejected(
          "input 'text'[1]: got 2 bytes that are not UTF-8",
          text,
          "text",
          Tensor.ofBytes(List.of(utf8("a"), latin)));
      assertRejected(
          "input 'image'[1]: got 17 bytes that are neither PNG nor JPEG",
          image,
          "image",
          Tensor.ofBytes(List.of(png(noise(28, 28, 1)), new byte[17])));
      assertRejected(
          "input 'text': got type FP32, expected BYTES",
          text,
          "text",
          Tensor.of(Shape.of(1), new float[1]));
      assertRejected(
          "input 'words': the model has no such input, expected [text]",
          text,
          Map.of("text", texts("a"), "words", texts("a")));
      assertRejected("input 'text': missing; got [], expected [text]", text, Map.of());
      assertRejected(
          "input 'text': got shape [0] without elements, expected at least one",
          text,
          "text",
          Tensor.ofBytes(List.of()));
      assertRejected(
          "input 'image': got shape [1, 1, 28, 27], expected [at least 1, 1, 28, 28]",
          image,
          "image",
          Tensor.of(Shape.of(1, 1, 28, 27), new float[28 * 27]));
    }
  }

  @Test
  void anImageWithoutItsLastRowsIsRefused() {
    byte[] file = png(noise(28, 28, 5));
    try (ModelProcessing image = imageModel(grey(28))) {
      for (int length = 8; length < file.length - 64; length += 7) {
        Tensor cut = Tensor.ofBytes(List.of(Arrays.copyOf(file, length)));
        assertThrows(
            RejectedInputException.class, () -> image.prepare(Map.of("image", cut)), "" + length);
      }
    }
  }

  @Test
  void aSmallFileThatDeclaresManyPixelsIsRefusedBeforeItIsDecoded() {
    byte[] file = png(noise(28, 28, 3));
    // Width and height are big-endian at bytes 16 and 20; the checksum of the header follows.
    java.nio.ByteBuffer.wrap(file).putInt(16, 60_000).putInt(20, 60_000);
    java.util.zip.CRC32 checksum = new java.util.zip.CRC32();
    checksum.update(file, 12, 17);
    java.nio.ByteBuffer.wrap(file).putInt(29, (int) checksum.getValue());
    try (ModelProcessing image = imageModel(grey(28))) {
      assertRejected(
          "input 'image'[0]: got 60000 x 60000 pixels, expected at most 40000000 pixels",
          image,
          "image",
          Tensor.ofBytes(List.of(file)));
    }
  }

  @Test
  void aGreyPngGivesTheSameGraphInputAsItsSamples() {
    BufferedImage drawn = new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY);
    float[] samples = new float[28 * 28];
    Random random = new Random(11);
    for (int i = 0; i < samples.length; i++) {
      int value = random.nextInt(256);
      drawn.getRaster().setSample(i % 28, i / 28, 0, value);
      samples[i] = value / 255f;
    }
    try (ModelProcessing image = imageModel(grey(28))) {
      Tensor fromFile = graphInput(image, Tensor.ofBytes(List.of(png(drawn))));
      Tensor fromSamples = graphInput(image, Tensor.of(Shape.of(1, 1, 28, 28), samples));
      assertArrayEquals(fromSamples.toFloats(), fromFile.toFloats());
      assertEquals((samples[5] - 0.286f) / 0.353f, fromFile.toFloats()[5]);
    }
  }

  @Test
  void channelOrderSaysWhichSampleComesFirst() {
    BufferedImage red = new BufferedImage(4, 4, BufferedImage.TYPE_INT_RGB);
    red.setRGB(0, 0, 0xFF0000);
    try (ModelProcessing rgb = imageModel(colour("RGB"));
        ModelProcessing bgr = imageModel(colour("BGR"))) {
      Tensor file = Tensor.ofBytes(List.of(png(red)));
      assertEquals(1, graphInput(rgb, file).toFloats()[0]);
      assertEquals(-1, graphInput(bgr, file).toFloats()[0]);
    }
  }

  @Test
  void resizeSamplesBetweenPixelCentres() throws IOException {
    BufferedImage two = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_GRAY);
    two.getRaster().setSample(1, 0, 0, 255);
    float[] out = BilinearResize.resize(DecodedImage.decode(png(two)), 4, 1);
    assertArrayEquals(new float[] {0, 0.25f, 0.75f, 1}, everyThird(out));
  }

  @Test
  void imagesOfManyWidthsAnswerInTheirOrderAndLikeAlone() {
    Preprocessing.Image lines =
        new Preprocessing.Image(
            "image",
            "x",
            3,
            "BGR",
            8,
            32,
            96,
            Preprocessing.Image.Fit.KEEP_RATIO,
            List.of(.5f, .5f, .5f),
            List.of(.5f, .5f, .5f));
    List<byte[]> files = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      files.add(png(noise(10 + 17 * (i * 5 % 6), 8 + i, i)));
    }
    try (ModelProcessing processing = imageModel(lines)) {
      float[] together = meansOf(processing, Tensor.ofBytes(files));
      for (int i = 0; i < files.size(); i++) {
        float[] alone = meansOf(processing, Tensor.ofBytes(List.of(files.get(i))));
        assertEquals(alone[0], together[i], "image " + i);
      }
      assertEquals(3, processing.prepare(Map.of("image", Tensor.ofBytes(files))).size());
    }
  }

  @Test
  void meanPoolingLooksAtRealTokensOnlyAndHasLengthOne() {
    MeanPooling pooling =
        new MeanPooling(new Postprocessing.MeanPool("h", "e"), Optional.of("mask"));
    PreparedBatch batch =
        new PreparedBatch(
            Map.of("mask", Tensor.of(Shape.of(1, 3), new long[] {1, 1, 0})), List.of(0));
    Tensor hidden = Tensor.of(Shape.of(1, 3, 2), new float[] {1, 2, 5, 6, 99, -99});
    float[] embedding = pooling.finish(batch, Map.of("h", hidden)).get("e").toFloats();
    assertArrayEquals(new float[] {0.6f, 0.8f}, embedding, 1e-6f);
  }

  @Test
  void softmaxOfLargeLogitsIsFinite() {
    SoftmaxFinishing softmax = new SoftmaxFinishing(new Postprocessing.Softmax("l", "p"));
    Tensor logits = Tensor.of(Shape.of(2, 2), new float[] {1000, 1000, -1000, 1000});
    float[] probabilities = softmax.finish(noElements(), Map.of("l", logits)).get("p").toFloats();
    assertArrayEquals(new float[] {0.5f, 0.5f, 0, 1}, probabilities);
  }

  @Test
  void ctcMergesRepeatsAndDropsBlanks() {
    GreedyCtc ctc = GreedyCtc.of(new Postprocessing.Ctc("p", "text", "c"), utf8("a\nb\n"));
    int[] best = {1, 1, 0, 1, 3, 2, 2, 0};
    float[] probabilities = new float[best.length * 4];
    for (int step = 0; step < best.length; step++) {
      probabilities[step * 4 + best[step]] = 0.5f;
    }
    Map<String, Tensor> outputs =
        ctc.finish(noElements(), Map.of("p", Tensor.of(Shape.of(1, 8, 4), probabilities)));
    assertEquals("aa b", new String(outputs.get("text").toByteArrays().getFirst(), utf8()));
    assertEquals(0.5f, outputs.get("c").toFloats()[0]);
  }

  @Test
  void theBestLabelIsNamed() {
    LabelChoice choice =
        new LabelChoice(new Postprocessing.Label("p", "label", "c"), List.of("up", "down"));
    Tensor probabilities = Tensor.of(Shape.of(2, 2), new float[] {0.9f, 0.1f, 0.3f, 0.7f});
    Map<String, Tensor> outputs = choice.finish(noElements(), Map.of("p", probabilities));
    List<String> names =
        outputs.get("label").toByteArrays().stream().map(name -> new String(name, utf8())).toList();
    assertEquals(List.of("up", "down"), names);
    assertArrayEquals(new float[] {0.9f, 0.7f}, outputs.get("c").toFloats());
  }

  /// Stands for a graph: the mean of each image's tensor.
  private static float[] meansOf(ModelProcessing processing, Tensor files) {
    List<PreparedBatch> batches = processing.prepare(Map.of("image", files));
    List<Map<String, Tensor>> outputs = new ArrayList<>();
    for (PreparedBatch batch : batches) {
      float[] values = batch.graphInputs().get("x").toFloats();
      int rows = batch.elements().size();
      float[] means = new float[rows];
      for (int i = 0; i < values.length; i++) {
        means[i / (values.length / rows)] += values[i];
      }
      outputs.add(Map.of("mean", Tensor.of(Shape.of(rows), means)));
    }
    return processing.finish(batches, outputs).get("mean").toFloats();
  }

  private static void assertRejected(
      String message, ModelProcessing processing, String name, Tensor tensor) {
    assertRejected(message, processing, Map.of(name, tensor));
  }

  private static void assertRejected(
      String message, ModelProcessing processing, Map<String, Tensor> inputs) {
    RejectedInputException rejected =
        assertThrows(RejectedInputException.class, () -> processing.prepare(inputs));
    assertEquals(message, rejected.getMessage());
  }

  private static Tensor graphInput(ModelProcessing processing, Tensor image) {
    return processing.prepare(Map.of("image", image)).getFirst().graphInputs().get("x");
  }

  private static PreparedBatch noElements() {
    return new PreparedBatch(Map.of(), List.of());
  }

  private static ModelProcessing textModel(int maxTokens) {
    Preprocessing text =
        new Preprocessing.Text("text", maxTokens, "input_ids", "attention_mask", "token_type_ids");
    byte[] tokenizer = resource("tiny-tokenizer.json");
    TensorSource tensors =
        name ->
            name.equals(ModelProcessing.TOKENIZER)
                ? Optional.of(MemorySegment.ofArray(tokenizer))
                : Optional.empty();
    return ModelProcessing.of(
        description(TEXT, text, List.of("input_ids", "attention_mask")), tensors);
  }

  private static ModelProcessing imageModel(Preprocessing.Image image) {
    return ModelProcessing.of(description(IMAGE, image, List.of("x")), name -> Optional.empty());
  }

  private static Preprocessing.Image grey(int size) {
    return new Preprocessing.Image(
        "image",
        "x",
        1,
        "RGB",
        size,
        size,
        size,
        Preprocessing.Image.Fit.STRETCH,
        List.of(0.286f),
        List.of(0.353f));
  }

  private static Preprocessing.Image colour(String order) {
    return new Preprocessing.Image(
        "image",
        "x",
        3,
        order,
        4,
        4,
        4,
        Preprocessing.Image.Fit.STRETCH,
        List.of(.5f, .5f, .5f),
        List.of(.5f, .5f, .5f));
  }

  private static ModelDescription description(
      TensorSpec input, Preprocessing preprocessing, List<String> graphInputs) {
    List<TensorSpec> specs =
        graphInputs.stream()
            .map(name -> new TensorSpec(name, DataType.INT64, Shape.of(-1, -1)))
            .toList();
    return new ModelDescription(
        "test",
        List.of(input),
        List.of(),
        new ModelGraph(specs, List.of(), List.of(), List.of(), List.of()),
        preprocessing,
        new Postprocessing.None(),
        List.of(),
        new Bits(8),
        List.of(),
        Map.of());
  }

  private static Tensor texts(String... texts) {
    return Tensor.ofBytes(Arrays.stream(texts).map(ModelProcessingTest::utf8).toList());
  }

  private static java.nio.charset.Charset utf8() {
    return StandardCharsets.UTF_8;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static float[] everyThird(float[] values) {
    float[] third = new float[values.length / 3];
    for (int i = 0; i < third.length; i++) {
      third[i] = values[3 * i];
    }
    return third;
  }

  private static BufferedImage noise(int width, int height, long seed) {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Random random = new Random(seed);
    for (int i = 0; i < width * height; i++) {
      image.setRGB(i % width, i / width, random.nextInt(1 << 24));
    }
    return image;
  }

  private static byte[] png(BufferedImage image) {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    try {
      ImageIO.write(image, "png", file);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return file.toByteArray();
  }

  private static byte[] resource(String name) {
    try (var stream = ModelProcessingTest.class.getResourceAsStream("/processing/" + name)) {
      return stream.readAllBytes();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }
}
