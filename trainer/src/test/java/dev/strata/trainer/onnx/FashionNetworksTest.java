package dev.strata.trainer.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.strata.graph.Activation;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The Fashion-MNIST networks, exported by PyTorch, against PyTorch's own logits of 2,000
/// images.
class FashionNetworksTest {
  private static final String REPOSITORY = "/dev/strata/trainer/repository/";
  private static final String HERE = "/dev/strata/trainer/onnx/";
  private static final int IMAGES = 2000;
  private static final int PIXELS = 28 * 28;
  private static final int CLASSES = 10;
  private static final int BATCH = 100;

  @TempDir Path folder;

  @Test
  void resnet8GivesPyTorchsLogitsAndItsAccuracy() throws IOException {
    List<float[]> logits = compare(REPOSITORY + "fm_resnet8.onnx", "fm_resnet8_logits_f32.bin");
    byte[] labels = idx(REPOSITORY + "t2k-labels-idx1-ubyte.gz", 8);
    long right = 0;
    for (int i = 0; i < IMAGES; i++) {
      right += best(logits.get(i / BATCH), i % BATCH) == labels[i] ? 1 : 0;
    }
    assertEquals(1840, right, "right answers of 2,000");
  }

  @Test
  void resnet14GivesPyTorchsLogits() throws IOException {
    compare(HERE + "fm_resnet14.onnx", "fm_resnet14_logits_f32.bin");
  }

  @Test
  void aResidualNetworkIsNothingButLayersBetweenItsEnds() throws IOException {
    try (FloatModel model = read(REPOSITORY + "fm_resnet8.onnx")) {
      List<Op> ops = model.graph().nodes().stream().map(Node::op).toList();
      List<Op.Conv> convolutions =
          ops.stream().filter(Op.Conv.class::isInstance).map(Op.Conv.class::cast).toList();
      assertEquals(9, convolutions.size());
      assertEquals(
          7,
          convolutions.stream().filter(conv -> conv.activation().equals(Activation.RELU)).count());
      assertEquals(
          List.of("Reshape", "Reduce", "Flatten", "Linear"),
          ops.stream()
              .filter(op -> !(op instanceof Op.Conv))
              .map(op -> op.getClass().getSimpleName())
              .toList());
      long residuals =
          model.graph().nodes().stream()
              .filter(node -> node.op() instanceof Op.Conv && node.inputs().size() == 2)
              .count();
      assertEquals(3, residuals, "convolutions that add a residual");
    }
  }

  /// @return our logits, a batch each
  private List<float[]> compare(String network, String expectedName) throws IOException {
    float[] expected = floats(HERE + expectedName);
    List<Map<String, Tensor>> inputs = batches();
    List<float[]> results = new ArrayList<>();
    try (FloatModel model = read(network)) {
      List<Map<String, Tensor>> outputs = Runs.ours(model, inputs);
      for (int batch = 0; batch < outputs.size(); batch++) {
        int from = batch * BATCH * CLASSES;
        Tensor wanted =
            Tensor.of(
                Shape.of(BATCH, CLASSES),
                Arrays.copyOfRange(expected, from, from + BATCH * CLASSES));
        Tensor got = outputs.get(batch).get("logits");
        Runs.assertClose(network + ", batch " + batch, wanted, got, 1e-4);
        results.add(got.toFloats());
      }
    }
    return results;
  }

  private FloatModel read(String resource) throws IOException {
    Path file = folder.resolve("network.onnx");
    Files.write(file, bytes(resource));
    return OnnxImporter.read(file);
  }

  private static List<Map<String, Tensor>> batches() throws IOException {
    byte[] pixels = idx(REPOSITORY + "t2k-images-idx3-ubyte.gz", 16);
    List<Map<String, Tensor>> batches = new ArrayList<>();
    for (int from = 0; from < IMAGES; from += BATCH) {
      float[] values = new float[BATCH * PIXELS];
      for (int i = 0; i < values.length; i++) {
        values[i] = ((pixels[from * PIXELS + i] & 0xff) / 255f - 0.2860f) / 0.3530f;
      }
      batches.add(Map.of("input", Tensor.of(Shape.of(BATCH, 1, 28, 28), values)));
    }
    return batches;
  }

  private static int best(float[] logits, int row) {
    int best = 0;
    for (int c = 1; c < CLASSES; c++) {
      best = logits[row * CLASSES + c] > logits[row * CLASSES + best] ? c : best;
    }
    return best;
  }

  private static byte[] idx(String resource, int headerBytes) throws IOException {
    try (InputStream in = FashionNetworksTest.class.getResourceAsStream(resource);
        GZIPInputStream unzipped = new GZIPInputStream(in)) {
      byte[] all = unzipped.readAllBytes();
      return Arrays.copyOfRange(all, headerBytes, all.length);
    }
  }

  private static float[] floats(String resource) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(bytes(resource)).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  private static byte[] bytes(String resource) throws IOException {
    try (InputStream in = FashionNetworksTest.class.getResourceAsStream(resource)) {
      return in.readAllBytes();
    }
  }
}
