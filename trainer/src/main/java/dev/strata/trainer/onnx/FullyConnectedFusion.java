package dev.strata.trainer.onnx;

import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// MatMul and Gemm with a constant matrix become fully connected layers.
final class FullyConnectedFusion implements Pass {
  @Override
  public void run(Network network) {
    var facts = FactInference.infer(network);
    for (OnnxNode node : network.nodes()) {
      boolean hasRows =
          !node.inputs().isEmpty()
              && Optional.ofNullable(facts.get(node.inputs().getFirst()))
                  .flatMap(ValueFacts::extents)
                  .filter(extents -> extents.size() >= 2)
                  .isPresent();
      Optional<Tensor> matrix =
          node.optionalInput(1)
              .flatMap(network::constant)
              .filter(t -> t.type() == DataType.FP32 && t.shape().rank() == 2);
      if (!hasRows || matrix.isEmpty() || network.constant(node.input(0)).isPresent()) {
        continue;
      }
      if (node.is("MatMul")) {
        Tensor weight = Tensors.transpose(matrix.get(), List.of(1, 0));
        String name = network.addConstant(node.input(1) + "@transposed", weight);
        network.replace(node, layer(node, List.of(node.input(0), name)));
      } else if (node.is("Gemm") && !node.attributes().flag("transA", false)) {
        gemm(network, node, matrix.get());
      }
    }
  }

  private static void gemm(Network network, OnnxNode node, Tensor matrix) {
    boolean isTransposed = node.attributes().flag("transB", false);
    Tensor weight = isTransposed ? matrix : Tensors.transpose(matrix, List.of(1, 0));
    int rows = (int) weight.shape().dim(0);
    float alpha = node.attributes().real("alpha", 1);
    float beta = node.attributes().real("beta", 1);
    List<String> inputs = new ArrayList<>(List.of(node.input(0)));
    float[] factors = new float[rows];
    Arrays.fill(factors, alpha);
    inputs.add(
        isTransposed && alpha == 1
            ? node.input(1)
            : network.addConstant(
                node.input(1) + "@layer", Tensors.scaleRows(weight, factors)));
    if (node.optionalInput(2).isPresent() && beta != 0) {
      Optional<Tensor> bias =
          network.constant(node.input(2)).filter(c -> Tensors.isPerChannel(c, rows, 0));
      if (bias.isEmpty()) {
        return;
      }
      float[] values = Tensors.perChannel(bias.get(), rows);
      for (int i = 0; i < rows; i++) {
        values[i] *= beta;
      }
      inputs.add(network.addConstant(node.name() + "@bias", Tensor.of(Shape.of(rows), values)));
    }
    network.replace(node, layer(node, inputs));
  }

  private static OnnxNode layer(OnnxNode node, List<String> inputs) {
    return new OnnxNode(
        node.name(), OnnxNode.FULLY_CONNECTED, inputs, node.outputs(), Attributes.NONE);
  }
}
