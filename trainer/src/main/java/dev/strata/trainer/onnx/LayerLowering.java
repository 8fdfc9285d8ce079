package dev.strata.trainer.onnx;

import dev.strata.graph.Activation;
import dev.strata.graph.DataType;
import dev.strata.graph.Layer;
import dev.strata.graph.Op;
import dev.strata.graph.Op.Binary.Function;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// Operators with weights become layers; matrix products of two computed values stay operators.
final class LayerLowering {
  /// A table with fewer rows is not worth a layer: it stays a constant.
  private static final int EMBEDDING_ROWS = 16;

  private final Values values;

  LayerLowering(Values values) {
    this.values = values;
  }

  void register(Map<String, Consumer<OnnxNode>> table) {
    table.put("Conv", this::conv);
    table.put(OnnxNode.FULLY_CONNECTED, this::fullyConnected);
    table.put("MatMul", this::matMul);
    table.put("Gemm", this::gemm);
    table.put("Gather", this::gather);
  }

  private void conv(OnnxNode node) {
    Tensor weight =
        values
            .constant(node.input(1))
            .orElseThrow(() -> new ModelImportException("its weights must be constant"));
    Optional<float[]> bias = bias(node, 2);
    int rank = values.rank(node.input(0));
    int spatial = rank - 2;
    if (spatial < 1 || spatial > 2) {
      throw new ModelImportException(spatial + "-dimensional convolution, expected 1 or 2");
    }
    long[] dims = weight.shape().toArray();
    int outputs = (int) dims[0];
    int inputs = (int) dims[1];
    int taps = (int) (dims[2] * (spatial == 2 ? dims[3] : 1));
    int groups = (int) node.attributes().integer("group", 1);
    boolean depthwise = groups > 1 && inputs == 1 && outputs == groups;
    // [out][in/groups][taps] to [out][taps][in/groups]
    Tensor ordered =
        Tensors.transpose(
            Tensors.reshape(weight, Shape.of(outputs, inputs, taps)), List.of(0, 2, 1));
    String layer =
        values
            .graph()
            .layer(
                node.name(),
                depthwise ? Layer.Kind.DEPTHWISE : Layer.Kind.CONV,
                outputs,
                taps * inputs,
                depthwise ? 1 : groups,
                ordered,
                bias);
    List<Long> kernel = weight.shape().dims().subList(2, rank);
    Op.Window window = Windows.of(node, values.extents(node.input(0)), kernel);
    Op op = new Op.Conv(layer, window, groups, Activation.IDENTITY);
    Windows.add(values, node, op);
  }

  private Optional<float[]> bias(OnnxNode node, int input) {
    return node.optionalInput(input)
        .map(
            name ->
                values
                    .constant(name)
                    .map(Tensor::toFloats)
                    .orElseThrow(() -> new ModelImportException("its bias must be constant")));
  }

  private void fullyConnected(OnnxNode node) {
    Tensor weight = values.constant(node.input(1)).orElseThrow();
    int rows = (int) weight.shape().dim(0);
    int columns = (int) weight.shape().dim(1);
    String layer =
        values
            .graph()
            .layer(node.name(), Layer.Kind.LINEAR, rows, columns, 1, weight, bias(node, 2));
    values.add(
        node,
        new Op.Linear(layer, Activation.IDENTITY),
        List.of(values.plain(node.input(0))),
        Layout.PLAIN);
  }

  private void matMul(OnnxNode node) {
    int left = values.rank(node.input(0));
    int right = values.rank(node.input(1));
    String a = values.plain(node.input(0));
    String b = values.plain(node.input(1));
    if (left == 1) {
      a = values.step(node, new Op.Unsqueeze(List.of(0)), a);
    }
    if (right == 1) {
      b = values.step(node, new Op.Unsqueeze(List.of(1)), b);
    }
    List<Integer> added = new ArrayList<>();
    if (left == 1) {
      added.add(-2);
    }
    if (right == 1) {
      added.add(-1);
    }
    if (added.isEmpty()) {
      values.add(node, new Op.MatMul(), List.of(a, b), Layout.PLAIN);
    } else {
      String product = values.step(node, new Op.MatMul(), a, b);
      values.add(node, new Op.Squeeze(added), List.of(product), Layout.PLAIN);
    }
  }

  /// `alpha * op(A) op(B) + beta * C` of computed values.
  private void gemm(OnnxNode node) {
    Attributes attributes = node.attributes();
    String a = matrix(node, 0, attributes.flag("transA", false));
    String b = matrix(node, 1, attributes.flag("transB", false));
    String y = scaled(node, values.step(node, new Op.MatMul(), a, b), attributes.real("alpha", 1));
    float beta = attributes.real("beta", 1);
    if (node.optionalInput(2).isPresent() && beta != 0) {
      String c = scaled(node, values.plain(node.input(2)), beta);
      y = values.step(node, new Op.Binary(Function.ADD), y, c);
    }
    values.define(node.output(), Layout.PLAIN, y);
  }

  private String matrix(OnnxNode node, int input, boolean transposed) {
    String name = values.plain(node.input(input));
    return transposed
        ? values.graph().transpose(node.name(), name, List.of(1, 0), name + "@transposed")
        : name;
  }

  private String scaled(OnnxNode node, String value, float factor) {
    return factor == 1
        ? value
        : values.step(
            node,
            new Op.Binary(Function.MUL),
            value,
            values.graph().constant(node.name() + "@factor", Tensors.scalar(factor)));
  }

  private void gather(OnnxNode node) {
    int rank = values.rank(node.input(0));
    int axis = Axes.normal((int) node.attributes().integer("axis", 0), rank);
    Optional<Tensor> table = values.constant(node.input(0)).filter(LayerLowering::isTable);
    if (table.isPresent() && axis == 0 && !values.isConstant(node.input(1))) {
      Shape shape = table.get().shape();
      int rows = (int) shape.dim(0);
      int columns = (int) shape.dim(1);
      String layer =
          values
              .graph()
              .layer(
                  node.name(),
                  Layer.Kind.EMBEDDING,
                  rows,
                  columns,
                  1,
                  table.get(),
                  Optional.empty());
      values.add(
          node, new Op.Embedding(layer), List.of(values.plain(node.input(1))), Layout.PLAIN);
    } else {
      values.add(
          node,
          new Op.Gather(axis),
          List.of(values.plain(node.input(0)), values.plain(node.input(1))),
          Layout.PLAIN);
    }
  }

  private static boolean isTable(Tensor tensor) {
    return tensor.type() == DataType.FP32
        && tensor.shape().rank() == 2
        && tensor.shape().dim(0) >= EMBEDDING_ROWS
        && tensor.shape().dim(1) >= 2;
  }
}
