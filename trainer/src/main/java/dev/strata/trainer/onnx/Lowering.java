package dev.strata.trainer.onnx;

import dev.strata.graph.Activation;
import dev.strata.graph.DataType;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.TensorSpec;
import dev.strata.trainer.onnx.ValueFacts.ElementType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/// ONNX operators to the model graph's, node by node, choosing the layout of every value on the way:
/// image operators make channels-last values, the next operators keep them so where they can.
final class Lowering {
  private final Network network;
  private final Values values;
  private final Map<String, Consumer<OnnxNode>> table = new LinkedHashMap<>();

  private Lowering(Network network) {
    this.network = network;
    values = new Values(network, FactInference.infer(network), new GraphBuilder());
    new LayerLowering(values).register(table);
    new ElementwiseLowering(values).register(table);
    new ImageLowering(values).register(table);
    new ReductionLowering(values).register(table);
    new ShapeLowering(values).register(table);
  }

  /// ONNX types that have a translation.
  static Set<String> types() {
    return new Lowering(new Network(0, Map.of(), List.of(), List.of(), Map.of())).table.keySet();
  }

  /// @throws ModelImportException naming every node that has no translation
  static Draft lower(Network network) {
    return new Lowering(network).run();
  }

  private Draft run() {
    List<TensorSpec> inputs = network.inputs().keySet().stream().map(this::input).toList();
    lowerNodes();
    network.outputs().forEach(this::output);
    GraphBuilder graph = values.graph();
    return new Draft(
        inputs,
        network.outputs(),
        graph.nodes(),
        graph.constants(),
        graph.layers(),
        graph.weights(),
        values.memoryExtents());
  }

  private TensorSpec input(String name) {
    values.graph().reserve(name);
    values.define(name, Layout.PLAIN, name);
    List<Long> dims =
        values.extents(name).stream()
            .map(extent -> extent.isKnown() ? extent.size() : Shape.VARIABLE)
            .toList();
    boolean isReal = values.facts(name).type() == ElementType.REAL;
    return new TensorSpec(name, isReal ? DataType.FP32 : DataType.INT64, new Shape(dims));
  }

  /// A node whose inputs failed is not tried, so each message names a cause.
  private void lowerNodes() {
    List<String> problems = new ArrayList<>();
    Set<String> failed = new HashSet<>();
    for (OnnxNode node : network.nodes()) {
      if (node.inputs().stream().anyMatch(failed::contains)) {
        failed.addAll(node.outputs());
        continue;
      }
      try {
        table.get(node.type()).accept(node);
      } catch (ModelImportException problem) {
        problems.add("%s '%s': %s".formatted(node.type(), node.name(), problem.getMessage()));
        failed.addAll(node.outputs());
      }
    }
    OperatorSupport.report(problems);
  }

  /// The outputs have ONNX's order and names.
  private void output(String value) {
    String name = values.plain(value);
    if (!name.equals(value)) {
      boolean isReal = values.facts(value).type() == ElementType.REAL;
      Op copy =
          isReal ? new Op.Unary(Activation.IDENTITY) : new Op.Cast(DataType.INT64);
      values.graph().add(value + "@output", copy, List.of(name), value);
    }
  }
}
