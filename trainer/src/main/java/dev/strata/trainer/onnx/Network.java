package dev.strata.trainer.onnx;

import dev.strata.graph.DataType;
import dev.strata.graph.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/// The network while it is being rewritten: nodes in execution order, constants by value name. One
/// thread. Look-ups scan the node list: networks have hundreds of nodes, not millions.
final class Network {
  private final int opset;
  private final Map<String, ValueFacts> inputs;
  private final List<String> outputs;
  private final List<OnnxNode> nodes;
  private final Map<String, Tensor> constants;
  private final Set<String> names = new HashSet<>();

  Network(
      int opset,
      Map<String, ValueFacts> inputs,
      List<String> outputs,
      List<OnnxNode> nodes,
      Map<String, Tensor> constants) {
    this.opset = opset;
    this.inputs = new LinkedHashMap<>(inputs);
    this.outputs = List.copyOf(outputs);
    this.nodes = new ArrayList<>(nodes);
    this.constants = new LinkedHashMap<>(constants);
    names.addAll(inputs.keySet());
    names.addAll(constants.keySet());
    nodes.forEach(node -> names.addAll(node.outputs()));
  }

  int opset() {
    return opset;
  }

  Map<String, ValueFacts> inputs() {
    return inputs;
  }

  List<String> outputs() {
    return outputs;
  }

  /// A copy, so that a pass may rewrite while it goes through.
  List<OnnxNode> nodes() {
    return List.copyOf(nodes);
  }

  Map<String, Tensor> constants() {
    return constants;
  }

  Optional<Tensor> constant(String value) {
    return Optional.ofNullable(constants.get(value));
  }

  /// The value of a one-element constant.
  OptionalDouble scalar(String value) {
    Tensor tensor = constants.get(value);
    if (tensor == null || tensor.shape().elements() != 1) {
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(
        tensor.type() == DataType.FP32 ? tensor.toFloats()[0] : tensor.toLongs()[0]);
  }

  boolean isScalar(String value, double wanted) {
    OptionalDouble scalar = scalar(value);
    return scalar.isPresent()
        && Math.abs(scalar.getAsDouble() - wanted) <= 1e-5 * Math.abs(wanted);
  }

  Optional<OnnxNode> producer(String value) {
    return nodes.stream().filter(node -> node.outputs().contains(value)).findFirst();
  }

  Optional<OnnxNode> producer(String value, String type) {
    return producer(value).filter(node -> node.is(type));
  }

  /// Nodes that read a value, once for each reading input.
  List<OnnxNode> users(String value) {
    List<OnnxNode> users = new ArrayList<>();
    for (OnnxNode node : nodes) {
      node.inputs().stream().filter(value::equals).forEach(input -> users.add(node));
    }
    return users;
  }

  /// Whether nothing but one input of one node would notice if the value were gone.
  boolean isUsedOnce(String value) {
    return !outputs.contains(value) && users(value).size() == 1;
  }

  String addConstant(String hint, Tensor tensor) {
    String name = freshName(hint);
    constants.put(name, tensor);
    return name;
  }

  void setConstant(String name, Tensor tensor) {
    constants.put(name, tensor);
  }

  String freshName(String hint) {
    String name = hint;
    for (int i = 1; !names.add(name); i++) {
      name = hint + "." + i;
    }
    return name;
  }

  void replace(OnnxNode old, List<OnnxNode> replacement) {
    int at = nodes.indexOf(old);
    nodes.remove(at);
    nodes.addAll(at, replacement);
  }

  void replace(OnnxNode old, OnnxNode replacement) {
    replace(old, List.of(replacement));
  }

  void remove(OnnxNode node) {
    nodes.remove(node);
  }

  /// Every reader of `old` reads `replacement` instead.
  void redirect(String old, String replacement) {
    nodes.replaceAll(
        node ->
            node.inputs().contains(old)
                ? node.withInputs(
                    node.inputs().stream()
                        .map(input -> input.equals(old) ? replacement : input)
                        .toList())
                : node);
  }

  /// The node that writes `old` writes `replacement` instead, and every reader follows.
  void rename(String old, String replacement) {
    redirect(old, replacement);
    nodes.replaceAll(
        node ->
            node.outputs().contains(old)
                ? node.withOutputs(
                    node.outputs().stream()
                        .map(output -> output.equals(old) ? replacement : output)
                        .toList())
                : node);
  }

  void keepConstants(Set<String> wanted) {
    constants.keySet().retainAll(wanted);
  }
}
