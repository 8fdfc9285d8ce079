package dev.strata.trainer.onnx;

import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `(x - mean) / sqrt(variance + epsilon) * scale + bias` per channel: into the weights of the layer
/// before it where there is one, else into a multiplication and an addition.
final class BatchNormalizationFolding implements Pass {
  @Override
  public void run(Network network) {
    for (OnnxNode node : network.nodes()) {
      if (node.is("BatchNormalization")) {
        rewrite(network, node);
      }
    }
  }

  private static void rewrite(Network network, OnnxNode node) {
    Optional<float[]> scale = channels(network, node, 1);
    Optional<float[]> bias = channels(network, node, 2);
    Optional<float[]> mean = channels(network, node, 3);
    Optional<float[]> variance = channels(network, node, 4);
    if (scale.isEmpty() || bias.isEmpty() || mean.isEmpty() || variance.isEmpty()) {
      decompose(network, node);
      return;
    }
    float epsilon = node.attributes().real("epsilon", 1e-5f);
    float[] factor = new float[scale.get().length];
    float[] offset = new float[factor.length];
    for (int c = 0; c < factor.length; c++) {
      double exact = scale.get()[c] / Math.sqrt(variance.get()[c] + (double) epsilon);
      factor[c] = (float) exact;
      offset[c] = (float) (bias.get()[c] - mean.get()[c] * exact);
    }
    Optional<OnnxNode> layer =
        network
            .producer(node.input(0))
            .filter(before -> before.is("Conv") || before.is(OnnxNode.FULLY_CONNECTED))
            .filter(before -> network.constant(before.input(1)).isPresent())
            .filter(before -> network.isUsedOnce(before.output()));
    if (layer.isPresent()) {
      LayerScaling.apply(network, layer.get(), factor, offset, node);
    } else {
      multiplyAndAdd(network, node, factor, offset);
    }
  }

  private static Optional<float[]> channels(Network network, OnnxNode node, int input) {
    return network.constant(node.input(input)).map(Tensor::toFloats);
  }

  private static void multiplyAndAdd(
      Network network, OnnxNode node, float[] factor, float[] offset) {
    int rank =
        FactInference.infer(network)
            .get(node.input(0))
            .extents()
            .map(List::size)
            .orElseThrow(
                () ->
                    new ModelImportException(
                        "BatchNormalization '%s': the rank of its input is not known"
                            .formatted(node.name())));
    List<Long> dims = new ArrayList<>(Collections.nCopies(Math.max(1, rank - 1), 1L));
    dims.set(0, (long) factor.length);
    Shape shape = new Shape(dims);
    String product = network.freshName(node.output() + "@scaled");
    String times = network.addConstant(node.name() + "@factor", Tensor.of(shape, factor));
    String plus = network.addConstant(node.name() + "@offset", Tensor.of(shape, offset));
    network.replace(
        node,
        List.of(
            node("Mul", node.name() + "@scale", List.of(node.input(0), times), product),
            node("Add", node.name(), List.of(product, plus), node.output())));
  }

  /// With computed parameters: the formula, node by node.
  private static void decompose(Network network, OnnxNode node) {
    Map<String, ValueFacts> facts = FactInference.infer(network);
    int rank = facts.get(node.input(0)).extents().map(List::size).orElse(2);
    List<Long> axes = new ArrayList<>();
    for (long axis = 1; axis < rank - 1; axis++) {
      axes.add(axis);
    }
    List<OnnxNode> formula = new ArrayList<>();
    List<String> columns = new ArrayList<>();
    for (int input = 1; input <= 4; input++) {
      columns.add(step(network, formula, node, "Unsqueeze", List.of(node.input(input)), axes));
    }
    String epsilon =
        network.addConstant(
            node.name() + "@epsilon", Tensors.scalar(node.attributes().real("epsilon", 1e-5f)));
    String safe = step(network, formula, node, "Add", List.of(columns.get(3), epsilon), axes);
    String root = step(network, formula, node, "Sqrt", List.of(safe), axes);
    String factor = step(network, formula, node, "Div", List.of(columns.get(0), root), axes);
    String away =
        step(network, formula, node, "Sub", List.of(node.input(0), columns.get(2)), axes);
    String scaled = step(network, formula, node, "Mul", List.of(away, factor), axes);
    formula.add(node("Add", node.name(), List.of(scaled, columns.get(1)), node.output()));
    network.replace(node, formula);
  }

  private static String step(
      Network network,
      List<OnnxNode> formula,
      OnnxNode origin,
      String type,
      List<String> inputs,
      List<Long> axes) {
    String result = network.freshName(origin.output() + "@normal");
    Attributes attributes =
        type.equals("Unsqueeze") ? Attributes.NONE.with("axes", axes) : Attributes.NONE;
    formula.add(new OnnxNode(result, type, inputs, List.of(result), attributes));
    return result;
  }

  private static OnnxNode node(String type, String name, List<String> inputs, String output) {
    return new OnnxNode(name, type, inputs, List.of(output), Attributes.NONE);
  }
}
