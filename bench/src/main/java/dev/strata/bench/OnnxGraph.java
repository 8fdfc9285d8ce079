package dev.strata.bench;

import com.google.protobuf.ByteString;
import dev.strata.onnx.AttributeProto;
import dev.strata.onnx.AttributeProto.AttributeType;
import dev.strata.onnx.GraphProto;
import dev.strata.onnx.ModelProto;
import dev.strata.onnx.NodeProto;
import dev.strata.onnx.OperatorSetIdProto;
import dev.strata.onnx.TensorProto;
import dev.strata.onnx.TensorShapeProto;
import dev.strata.onnx.TypeProto;
import dev.strata.onnx.ValueInfoProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/// A small network for ONNX Runtime, made in memory.
final class OnnxGraph {
  /// Element types of ONNX.
  static final int FLOAT = 1;

  static final int U8 = 2;
  static final int S8 = 3;
  static final int S32 = 6;

  /// The operators that ONNX Runtime has beyond the standard.
  static final String MICROSOFT = "com.microsoft";

  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("case");

  OnnxGraph input(String name, int type, long... dims) {
    graph.addInput(value(name, type, dims));
    return this;
  }

  OnnxGraph constant(String name, int type, byte[] data, long... dims) {
    TensorProto.Builder tensor =
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(type)
            .setRawData(ByteString.copyFrom(data));
    for (long dim : dims) {
      tensor.addDims(dim);
    }
    graph.addInitializer(tensor);
    return this;
  }

  OnnxGraph floats(String name, float[] values, long... dims) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return constant(name, FLOAT, bytes.array(), dims);
  }

  OnnxGraph node(String type, String inputs, String output, AttributeProto... attributes) {
    return node("", type, inputs, output, attributes);
  }

  /// @param inputs names, separated by spaces; `-` where an optional one is left out
  OnnxGraph node(
      String domain, String type, String inputs, String outputs, AttributeProto... attributes) {
    NodeProto.Builder node = NodeProto.newBuilder().setOpType(type).setDomain(domain);
    for (String input : inputs.split(" ", -1)) {
      node.addInput(input.equals("-") ? "" : input);
    }
    graph.addNode(
        node.addAllOutput(List.of(outputs.split(" ", -1))).addAllAttribute(List.of(attributes)));
    return this;
  }

  OnnxGraph node(NodeProto node) {
    graph.addNode(node);
    return this;
  }

  /// Adds the constants and nodes to a graph that has inputs and outputs already.
  GraphProto appendTo(GraphProto.Builder whole) {
    return whole
        .addAllInitializer(graph.getInitializerList())
        .addAllNode(graph.getNodeList())
        .build();
  }

  byte[] build(String output, int type, long... dims) {
    return ModelProto.newBuilder()
        .setIrVersion(8)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(MICROSOFT).setVersion(1))
        .setGraph(graph.addOutput(value(output, type, dims)))
        .build()
        .toByteArray();
  }

  static AttributeProto attribute(String name, long value) {
    return AttributeProto.newBuilder().setName(name).setType(AttributeType.INT).setI(value).build();
  }

  static AttributeProto attribute(String name, List<Long> values) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeType.INTS)
        .addAllInts(values)
        .build();
  }

  private static ValueInfoProto value(String name, int type, long... dims) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long dim : dims) {
      shape.addDim(TensorShapeProto.Dimension.newBuilder().setDimValue(dim));
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(TypeProto.Tensor.newBuilder().setElemType(type).setShape(shape)))
        .build();
  }
}
