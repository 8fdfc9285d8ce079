package dev.strata.trainer.onnx;

import dev.strata.graph.Constant;
import dev.strata.graph.Layer;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.precision.PlaneLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Collects the operators, constants and layers of a model graph and gives them names.
final class GraphBuilder {
  private final List<Node> nodes = new ArrayList<>();
  private final Map<String, Tensor> constants = new LinkedHashMap<>();
  private final Map<String, Layer> layers = new LinkedHashMap<>();
  private final Map<String, Tensor> weights = new LinkedHashMap<>();
  private final Map<String, Op.Transpose> transposes = new HashMap<>();
  private final Map<String, String> transposed = new HashMap<>();
  private final Map<List<Long>, String> numbers = new HashMap<>();
  private final Set<String> valueNames = new HashSet<>();
  private final Set<String> nodeNames = new HashSet<>();
  private final Set<String> layerNames = new HashSet<>();

  List<Node> nodes() {
    return nodes;
  }

  Map<String, Tensor> constants() {
    return constants;
  }

  Map<String, Layer> layers() {
    return layers;
  }

  /// Weights and biases of the layers, by the names they have in an artifact.
  Map<String, Tensor> weights() {
    return weights;
  }

  /// Keeps a name for a graph input.
  void reserve(String valueName) {
    valueNames.add(valueName);
  }

  /// Adds an operator with one result.
  ///
  /// @param origin name of the ONNX node it comes from
  /// @param result the wanted name of its result
  /// @return the name the result has
  String add(String origin, Op op, List<String> inputs, String result) {
    return add(origin, op, inputs, List.of(result)).getFirst();
  }

  List<String> add(String origin, Op op, List<String> inputs, List<String> results) {
    List<String> named = results.stream().map(result -> fresh(valueNames, result)).toList();
    nodes.add(new Node(fresh(nodeNames, origin), op, inputs, named));
    return named;
  }

  /// Dimension i of the result is dimension `permutation[i]` of the value. Transposes in a row
  /// become one.
  String transpose(String origin, String value, List<Integer> permutation, String result) {
    Op.Transpose before = transposes.get(value);
    if (before != null) {
      List<Integer> both = permutation.stream().map(before.permutation()::get).toList();
      return transpose(origin, transposed.get(value), both, result);
    }
    if (Axes.all(permutation.size()).equals(permutation)) {
      return value;
    }
    Op.Transpose op = new Op.Transpose(permutation);
    String name = add(origin, op, List.of(value), result);
    transposes.put(name, op);
    transposed.put(name, value);
    return name;
  }

  String constant(String hint, Tensor tensor) {
    String name = fresh(valueNames, hint);
    constants.put(name, tensor);
    return name;
  }

  /// An INT64 vector; equal ones are one constant.
  String numbers(List<Long> values) {
    return numbers.computeIfAbsent(
        values, list -> constant("numbers" + list, Tensors.wholes(list)));
  }

  String numbers(long... values) {
    return numbers(Arrays.stream(values).boxed().toList());
  }

  /// Adds a layer with float storage.
  ///
  /// @param weight `[rows][columns]` in the column order of its kind, any dimensions
  /// @return its name
  String layer(
      String hint,
      Layer.Kind kind,
      int rows,
      int columns,
      int submatrices,
      Tensor weight,
      Optional<float[]> bias) {
    String name = fresh(layerNames, hint);
    layers.put(
        name,
        new Layer(
            name, kind, Layer.Storage.FLOAT, PlaneLayout.perChannel(rows, columns, submatrices)));
    weights.put(name + ".weight", Tensors.reshape(weight, Shape.of(rows, columns)));
    String biasName = name + ".bias";
    bias.ifPresent(values -> weights.put(biasName, Tensor.of(Shape.of(rows), values)));
    valueNames.addAll(List.of(name + ".weight", biasName));
    return name;
  }

  List<Constant> constantList() {
    return constants.entrySet().stream()
        .map(entry -> new Constant(entry.getKey(), entry.getValue().type(), entry.getValue().shape()))
        .toList();
  }

  private static String fresh(Set<String> names, String hint) {
    String name = hint;
    for (int i = 1; !names.add(name); i++) {
      name = hint + "." + i;
    }
    return name;
  }
}
