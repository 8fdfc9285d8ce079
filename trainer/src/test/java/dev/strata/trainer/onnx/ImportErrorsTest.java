package dev.strata.trainer.onnx;

import static dev.strata.trainer.onnx.ModelBuilder.attribute;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.onnx.ModelProto;
import dev.strata.onnx.TensorProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImportErrorsTest {
  @TempDir Path folder;

  @Test
  void oneErrorNamesEveryUnsupportedOperatorWithItsNodes() {
    ModelProto model =
        new ModelBuilder(15)
            .input("x", "N", 4)
            .node("Sin", List.of("x"), "a")
            .node("Relu", List.of("a"), "b")
            .node("Sin", List.of("b"), "c")
            .node("TopK", List.of("c"), "d")
            .build("d");
    assertEquals(
        """
        the network uses what the import does not support:
          Sin at Sin_0, Sin_2
          TopK at TopK_3""",
        message(model));
  }

  @Test
  void oneErrorNamesEveryUnsupportedSetting() {
    ModelProto model =
        new ModelBuilder(15)
            .input("x", "N", 3, "H", "W")
            .constant("w", Tensor.of(Shape.of(3, 3, 2, 2), new float[36]))
            .constant("scales", Tensor.of(Shape.of(4), new float[] {1, 1, 2, 2}))
            .node(
                "Conv",
                List.of("x", "w"),
                "a",
                attribute("auto_pad", "SAME_UPPER"),
                attribute("strides", List.of(2L, 2L)))
            .node("Relu", List.of("a"), "b")
            .node("Resize", List.of("x", "", "scales"), "c", attribute("mode", "cubic"))
            .node("Conv", List.of("x", "x"), "d")
            .build("b", "c", "d");
    assertEquals(
        """
        the network uses what the import does not support:
          Conv 'Conv_0': auto_pad SAME_UPPER with stride 2 needs a fixed image size
          Resize 'Resize_2': mode cubic
          Conv 'Conv_3': its weights must be constant""",
        message(model));
  }

  @Test
  void operatorsOfOtherDomainsAreNamedWithTheirDomain() {
    ModelProto.Builder model =
        new ModelBuilder(15)
            .input("x", "N", 4).node("Gelu", List.of("x"), "y").build("y").toBuilder();
    model.getGraphBuilder().getNodeBuilder(0).setDomain("com.microsoft");
    assertTrue(message(model.build()).endsWith("com.microsoft.Gelu at Gelu_0"));
  }

  @Test
  void opsetsOutsideTheRangeAreRefused() {
    for (int opset : new int[] {10, 22}) {
      ModelProto model =
          new ModelBuilder(opset).input("x", 1).node("Relu", List.of("x"), "y").build("y");
      assertEquals(
          "opset: got %d, expected 11 to 21; export the network again with such an opset version"
              .formatted(opset),
          message(model));
    }
  }

  @Test
  void otherFilesAndCutFilesAreRefusedWithTheirName() throws IOException {
    byte[] whole =
        new ModelBuilder(15)
            .input("x", 1)
            .constant("c", Tensor.of(Shape.of(100), new float[100]))
            .node("Add", List.of("x", "c"), "y")
            .build("y")
            .toByteArray();
    Path cut = folder.resolve("cut.onnx");
    Files.write(cut, Arrays.copyOf(whole, whole.length / 2));
    Path text = folder.resolve("text.onnx");
    Files.writeString(text, "not a network at all");
    for (Path file : List.of(cut, text)) {
      ModelImportException error =
          assertThrows(ModelImportException.class, () -> OnnxImporter.read(file));
      assertTrue(error.getMessage().contains(file.toString()), error.getMessage());
    }
  }

  @Test
  void dataInOtherFilesIsRefused() {
    ModelProto.Builder model =
        new ModelBuilder(15)
                .input("x", 1)
                .constant("c", Tensor.of(Shape.of(1), new float[1]))
                .node("Add", List.of("x", "c"), "y")
                .build("y")
                .toBuilder();
    model
        .getGraphBuilder()
        .getInitializerBuilder(0)
        .setDataLocation(TensorProto.DataLocation.EXTERNAL);
    assertEquals(
        "constant 'c': its data is in another file; save the model with its data inside",
        message(model.build()));
  }

  @Test
  void aValueThatNothingComputesIsNamed() {
    ModelProto model =
        new ModelBuilder(15).input("x", 1).node("Add", List.of("x", "lost"), "y").build("y");
    assertEquals(
        "node 'Add_0' (Add) reads 'lost', which nothing before it computes", message(model));
  }

  private static String message(ModelProto model) {
    return assertThrows(ModelImportException.class, () -> OnnxImporter.read(model)).getMessage();
  }
}
