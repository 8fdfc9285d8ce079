package dev.strata.plan;

import dev.strata.graph.Constant;
import dev.strata.graph.DataType;
import dev.strata.graph.Layer;
import dev.strata.graph.MemoryTensors;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSpec;
import dev.strata.precision.ActivationQuantizer;
import dev.strata.precision.Bits;
import dev.strata.precision.CascadeView;
import dev.strata.precision.PlaneCodec;
import dev.strata.precision.PlaneLayout;
import dev.strata.precision.PlaneNames;
import dev.strata.precision.PrecisionProfile;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/// A small graph made by hand, with its tensors and one precision.
final class TestGraph implements AutoCloseable {
  final MemoryTensors tensors = new MemoryTensors();
  final Random random;
  private final Arena arena = Arena.ofShared();
  private final List<TensorSpec> inputs = new ArrayList<>();
  private final List<Node> nodes = new ArrayList<>();
  private final List<Constant> constants = new ArrayList<>();
  private final List<Layer> layers = new ArrayList<>();
  private final Map<String, PrecisionProfile.LayerPrecision> precisions = new HashMap<>();

  TestGraph(long seed) {
    random = new Random(seed);
  }

  TestGraph input(String name, DataType type, long... dims) {
    inputs.add(new TensorSpec(name, type, Shape.of(dims)));
    return this;
  }

  TestGraph constant(String name, float[] values, long... dims) {
    constants.add(new Constant(name, DataType.FP32, Shape.of(dims)));
    tensors.put(name, values);
    return this;
  }

  TestGraph constant(String name, long[] values, long... dims) {
    constants.add(new Constant(name, DataType.INT64, Shape.of(dims)));
    tensors.put(name, values);
    return this;
  }

  /// A float layer with random weights and biases.
  TestGraph floatLayer(String name, Layer.Kind kind, int rows, int columns, int submatrices) {
    layers.add(
        new Layer(
            name, kind, Layer.Storage.FLOAT, PlaneLayout.perChannel(rows, columns, submatrices)));
    tensors.put(name + ".weight", floats(rows * columns));
    tensors.put(name + ".bias", floats(rows));
    return this;
  }

  /// A layer of random codes; each width has tables of its own.
  TestGraph planeLayer(
      String name, Layer.Kind kind, PlaneLayout layout, int planes, ActivationQuantizer input) {
    layers.add(new Layer(name, kind, Layer.Storage.PLANES, layout));
    precisions.put(name, new PrecisionProfile.LayerPrecision(new Bits(planes), input));
    byte[] codes = new byte[layout.rows() * layout.columns()];
    random.nextBytes(codes);
    List<byte[]> encoded = PlaneCodec.encode(codes, layout);
    for (int plane = 0; plane < encoded.size(); plane++) {
      tensors.put(PlaneNames.plane(name, plane), encoded.get(plane));
    }
    byte[] groups = new byte[(int) layout.groupTableBytes()];
    random.nextBytes(groups);
    tensors.put(PlaneNames.groups(name), groups);
    for (Bits width : Bits.all()) {
      float[] table = new float[3 * layout.paddedRows()];
      for (int i = 0; i < table.length; i++) {
        float magnitude = i < 2 * layout.paddedRows() ? 1e-4f : 1;
        table[i] = magnitude * (random.nextFloat() + 0.1f);
      }
      tensors.put(PlaneNames.table(name, width), table);
    }
    return this;
  }

  /// The scales and zero points of a depthwise layer's input channels.
  TestGraph inputScales(String layer, float[] scales, float[] zeroPoints) {
    float[] both = Arrays.copyOf(scales, 2 * scales.length);
    System.arraycopy(zeroPoints, 0, both, scales.length, scales.length);
    tensors.put(PlaneNames.input(layer), both);
    return this;
  }

  TestGraph node(Op op, List<String> from, String... to) {
    nodes.add(new Node(to[0], op, from, List.of(to)));
    return this;
  }

  float[] floats(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = 2 * random.nextFloat() - 1;
    }
    return values;
  }

  Tensor tensor(long... dims) {
    Shape shape = Shape.of(dims);
    return Tensor.of(shape, floats((int) shape.elements()));
  }

  CascadeView view(String layer) {
    PlaneLayout layout =
        layers.stream().filter(l -> l.name().equals(layer)).findFirst().orElseThrow().layout();
    return CascadeView.of(layer, layout, precisions.get(layer).planes(), tensors::get);
  }

  ExecutablePlan plan(String... outputs) {
    ModelGraph graph = new ModelGraph(inputs, List.of(outputs), nodes, constants, layers);
    Optional<PrecisionProfile> profile =
        precisions.isEmpty()
            ? Optional.empty()
            : Optional.of(new PrecisionProfile(new Bits(4), precisions, Map.of()));
    return Planner.plan(graph, profile, tensors, arena);
  }

  /// Runs once and gives the only output.
  Tensor run(String output, Map<String, Tensor> values) {
    try (ExecutionContext context = plan(output).newContext()) {
      return context.run(values).get(output);
    }
  }

  @Override
  public void close() {
    arena.close();
    tensors.close();
  }
}
