package dev.strata.trainer.onnx;

import dev.strata.graph.Layer;
import dev.strata.graph.Node;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSpec;
import java.util.List;
import java.util.Map;

/// A model graph on the way to being finished.
///
/// @param weights of the layers, by the names they have in an artifact
/// @param extents dimensions in memory's order, of the values where they are known
record Draft(
    List<TensorSpec> inputs,
    List<String> outputs,
    List<Node> nodes,
    Map<String, Tensor> constants,
    Map<String, Layer> layers,
    Map<String, Tensor> weights,
    Map<String, List<Extent>> extents) {

  Draft withNodes(List<Node> newNodes) {
    return new Draft(inputs, outputs, newNodes, constants, layers, weights, extents);
  }
}
