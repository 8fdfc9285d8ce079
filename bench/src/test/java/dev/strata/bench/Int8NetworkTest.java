package dev.strata.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.strata.graph.Tensor;
import dev.strata.onnx.ModelProto;
import dev.strata.trainer.cli.CommandFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Int8NetworkTest {
  private static final int IMAGES = 300;

  @TempDir Path folder;

  @Test
  void answersAreThoseOfTheFloatNetworkOnRealImages() throws IOException, OrtException {
    byte[] floats = Benchmarks.resource("fm_resnet8.onnx");
    List<Map<String, Tensor>> images = Benchmarks.images("t2k-images-idx3-ubyte.gz", IMAGES);
    int same = 0;
    double worst = 0;
    try (OrtModel wanted = new OrtModel("fp32", floats);
        OrtModel made = new OrtModel("int8", int8(floats))) {
      for (Map<String, Tensor> image : images) {
        try (OrtModel.Call a = wanted.call(image);
            OrtModel.Call b = made.call(image)) {
          same += best(a.outputs().get("logits")) == best(b.outputs().get("logits")) ? 1 : 0;
          worst = Math.max(worst, ModelRun.error(a.outputs(), b.outputs()));
        }
      }
    }
    assertTrue(same >= 0.97 * IMAGES, same + " of " + IMAGES + " answers are the same");
    assertTrue(worst > 0 && worst < 0.25, "largest error " + worst);
  }

  @Test
  void onnxRuntimeMakesNothingButIntegerConvolutionsOfIt() throws IOException, OrtException {
    Path optimized = folder.resolve("optimized.onnx");
    byte[] int8 = int8(Benchmarks.resource("fm_resnet8.onnx"));
    try (OrtSession.SessionOptions options = OrtPeer.options()) {
      options.setOptimizedModelFilePath(optimized.toString());
      OrtEnvironment.getEnvironment().createSession(int8, options).close();
    }
    List<String> operators =
        ModelProto.parseFrom(Files.readAllBytes(optimized)).getGraph().getNodeList().stream()
            .map(node -> node.getOpType())
            .toList();
    assertEquals(9, operators.stream().filter("QLinearConv"::equals).count(), operators::toString);
    assertEquals(3, operators.stream().filter("QLinearAdd"::equals).count(), operators::toString);
    assertTrue(operators.stream().noneMatch(List.of("Conv", "Relu", "Add", "Gemm")::contains));
  }

  @Test
  void anOldOpsetIsRefused() throws IOException {
    ModelProto.Builder old =
        ModelProto.parseFrom(Benchmarks.resource("fm_resnet8.onnx")).toBuilder();
    old.getOpsetImportBuilder(0).setVersion(12);
    CommandFailure failure =
        assertThrows(CommandFailure.class, () -> Int8Network.of(old.build(), List.of()));
    assertTrue(failure.getMessage().contains("got opset 12"), failure.getMessage());
  }

  private static byte[] int8(byte[] floats) throws IOException, OrtException {
    return Int8Network.of(
        ModelProto.parseFrom(floats), Benchmarks.images("calibration-images-idx3-ubyte.gz", 64));
  }

  private static int best(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }
}
