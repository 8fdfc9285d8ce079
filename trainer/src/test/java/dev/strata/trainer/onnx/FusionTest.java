package dev.strata.trainer.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.strata.graph.Activation.Kind;
import dev.strata.graph.Layer;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Op;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What is written out in several nodes is found and becomes one; [OperatorTest] shows that the
/// numbers stay.
class FusionTest {
  @Test
  void activationsWrittenOutBecomeOneOperator() {
    assertEquals(Kind.GELU, onlyFunction(named("GELU with Erf, half last")));
    assertEquals(Kind.GELU, onlyFunction(named("GELU with Erf, half first")));
    assertEquals(Kind.GELU_TANH, onlyFunction(named("GELU with Tanh")));
    assertEquals(Kind.HARD_SWISH, onlyFunction(named("hard swish with Clip")));
    assertEquals(Kind.HARD_SWISH, onlyFunction(named("hard sigmoid with Clip")));
  }

  @Test
  void layerNormalizationWrittenOutBecomesOneOperator() {
    ModelGraph graph = graph(named("layer normalization written out"));
    assertEquals(List.of(new Op.LayerNorm(1e-5f)), ops(graph));
  }

  @Test
  void batchNormalizationDisappearsInTheConvolutionBeforeIt() {
    ModelGraph graph = graph(named("Conv, BatchNormalization and Relu"));
    assertEquals(List.of("Transpose", "Conv", "Transpose"), names(graph));
    Op.Conv conv = assertInstanceOf(Op.Conv.class, graph.nodes().get(1).op());
    assertEquals(Kind.RELU, conv.activation().kind());
  }

  @Test
  void biasAndActivationAndResidualDisappearInTheLayer() {
    assertEquals(List.of("Linear"), names(graph(named("MatMul, bias and Relu"))));
    ModelGraph graph = graph(named("MatMul and residual"));
    assertEquals(List.of("Linear"), names(graph));
    assertEquals(List.of("x", "x"), graph.nodes().getFirst().inputs());
  }

  @Test
  void aResidualBlockChangesItsLayoutTwice() {
    assertEquals(
        List.of("Transpose", "Conv", "Conv", "Transpose"), names(graph(named("residual block"))));
  }

  @Test
  void layoutsThatAreAlreadyThereCostNothing() {
    assertEquals(List.of("Transpose", "Conv"), names(graph(named("Conv and Transpose"))));
    assertEquals(
        List.of("Transpose", "Conv", "Reshape", "Linear"),
        names(graph(named("Conv to a sequence"))));
    assertEquals(
        List.of("Reshape", "Conv", "Transpose"), names(graph(named("a sequence to Conv"))));
  }

  @Test
  void aComputedShapeThatKeepsDimensionsIsConstant() {
    assertEquals(
        List.of("Transpose", "Conv", "Transpose", "Reshape"),
        names(graph(named("Reshape to a computed shape"))));
  }

  @Test
  void weightsAreNamedByTheirKind() {
    assertEquals(Layer.Kind.DEPTHWISE, onlyLayer("Conv depthwise").kind());
    assertEquals(Layer.Kind.CONV, onlyLayer("Conv with channel multiplier").kind());
    assertEquals(4, onlyLayer("Conv with channel multiplier").layout().submatrices());
    assertEquals(Layer.Kind.LINEAR, onlyLayer("Gemm").kind());
    assertEquals(Layer.Kind.EMBEDDING, onlyLayer("Embedding").kind());
  }

  private static Layer onlyLayer(String name) {
    List<Layer> layers = graph(named(name)).layers();
    assertEquals(1, layers.size());
    return layers.getFirst();
  }

  private static Kind onlyFunction(OperatorTest.Case test) {
    ModelGraph graph = graph(test);
    assertEquals(List.of("Unary"), names(graph));
    return assertInstanceOf(Op.Unary.class, graph.nodes().getFirst().op()).function().kind();
  }

  private static OperatorTest.Case named(String name) {
    return OperatorTest.all().filter(test -> test.name().equals(name)).findFirst().orElseThrow();
  }

  private static ModelGraph graph(OperatorTest.Case test) {
    try (FloatModel model = OnnxImporter.read(test.model())) {
      return model.graph();
    }
  }

  private static List<Op> ops(ModelGraph graph) {
    return graph.nodes().stream().map(node -> node.op()).toList();
  }

  private static List<String> names(ModelGraph graph) {
    return ops(graph).stream().map(op -> op.getClass().getSimpleName()).toList();
  }
}
