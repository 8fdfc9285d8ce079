package dev.strata.trainer.training;

import dev.strata.graph.Activation;
import dev.strata.graph.Constant;
import dev.strata.graph.DataType;
import dev.strata.graph.Layer;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSpec;
import dev.strata.precision.PlaneLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/// A graph that is being built. A node, its layer and its value have one name.
final class GraphDraft {
  private final List<Node> nodes = new ArrayList<>();
  private final List<Layer> layers = new ArrayList<>();
  private final List<Constant> constants = new ArrayList<>();
  private final TreeMap<String, Tensor> fixed = new TreeMap<>();

  /// @return the name of its value, as all methods do
  String node(String name, Op op, String... inputs) {
    nodes.add(new Node(name, op, List.of(inputs), List.of(name)));
    return name;
  }

  /// @param inputs x and optionally what is added
  String linear(String name, int in, int out, Activation activation, String... inputs) {
    layer(name, Layer.Kind.LINEAR, out, in);
    return node(name, new Op.Linear(name, activation), inputs);
  }

  void layer(String name, Layer.Kind kind, int rows, int columns) {
    PlaneLayout layout = PlaneLayout.perChannel(rows, columns, 1);
    layers.add(new Layer(name, kind, Layer.Storage.PLANES, layout));
  }

  /// @param shape 0 stands for the same axis of x
  String reshape(String name, String x, long... shape) {
    String dims = name + ".shape";
    fixed(dims, Tensor.of(Shape.of(shape.length), shape));
    return node(name, new Op.Reshape(false), x, dims);
  }

  String transpose(String name, String x, Integer... permutation) {
    return node(name, new Op.Transpose(List.of(permutation)), x);
  }

  /// Without parameters: scale and shift of a width are those of the layers that read it.
  String layerNorm(String name, String x, int width) {
    float[] ones = new float[width];
    Arrays.fill(ones, 1);
    Shape shape = Shape.of(width);
    return node(
        name,
        new Op.LayerNorm(TrainedNetwork.EPSILON),
        x,
        fixed(name + ".scale", Tensor.of(shape, ones)),
        fixed(name + ".shift", Tensor.of(shape, new float[width])));
  }

  String fixed(String name, Tensor value) {
    constants.add(new Constant(name, value.type(), value.shape()));
    fixed.put(name, value);
    return name;
  }

  String learned(String name, Shape shape) {
    constants.add(new Constant(name, DataType.FP32, shape));
    return name;
  }

  TrainableGraph finish(TensorSpec input, String output) {
    return new TrainableGraph(
        new ModelGraph(List.of(input), List.of(output), nodes, constants, layers), fixed);
  }
}
