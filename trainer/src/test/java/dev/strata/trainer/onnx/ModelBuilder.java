package dev.strata.trainer.onnx;

import com.google.protobuf.ByteString;
import dev.strata.graph.DataType;
import dev.strata.graph.Tensor;
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
import java.lang.foreign.ValueLayout;
import java.util.List;

/// Small ONNX networks for tests. Values are FP32 unless said otherwise.
final class ModelBuilder {
  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("test");
  private final int opset;

  ModelBuilder(int opset) {
    this.opset = opset;
  }

  /// @param dims numbers, or names of unknown sizes
  ModelBuilder input(String name, Object... dims) {
    return input(name, TensorProto.DataType.FLOAT, dims);
  }

  ModelBuilder input(String name, TensorProto.DataType type, Object... dims) {
    graph.addInput(value(name, type, dims));
    return this;
  }

  ModelBuilder constant(String name, Tensor tensor) {
    graph.addInitializer(proto(tensor).toBuilder().setName(name));
    return this;
  }

  ModelBuilder node(String type, List<String> inputs, String output, AttributeProto... attributes) {
    return node(type, inputs, List.of(output), attributes);
  }

  ModelBuilder node(
      String type, List<String> inputs, List<String> outputs, AttributeProto... attributes) {
    graph.addNode(
        NodeProto.newBuilder()
            .setOpType(type)
            .setName(type + "_" + graph.getNodeCount())
            .addAllInput(inputs)
            .addAllOutput(outputs)
            .addAllAttribute(List.of(attributes)));
    return this;
  }

  ModelProto build(String... outputs) {
    for (String output : outputs) {
      graph.addOutput(ValueInfoProto.newBuilder().setName(output));
    }
    return ModelProto.newBuilder()
        .setIrVersion(8)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(opset))
        .setGraph(graph)
        .build();
  }

  static TensorProto proto(Tensor tensor) {
    boolean isReal = tensor.type() == DataType.FP32;
    return TensorProto.newBuilder()
        .addAllDims(tensor.shape().dims())
        .setDataType(isReal ? TensorProto.DataType.FLOAT_VALUE : TensorProto.DataType.INT64_VALUE)
        .setRawData(ByteString.copyFrom(tensor.data().toArray(ValueLayout.JAVA_BYTE)))
        .build();
  }

  static AttributeProto attribute(String name, long value) {
    return AttributeProto.newBuilder().setName(name).setType(AttributeType.INT).setI(value).build();
  }

  static AttributeProto attribute(String name, float value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeType.FLOAT)
        .setF(value)
        .build();
  }

  static AttributeProto attribute(String name, String value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeType.STRING)
        .setS(ByteString.copyFromUtf8(value))
        .build();
  }

  static AttributeProto attribute(String name, List<Long> values) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeType.INTS)
        .addAllInts(values)
        .build();
  }

  static AttributeProto attribute(String name, Tensor value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeType.TENSOR)
        .setT(proto(value))
        .build();
  }

  private static ValueInfoProto value(String name, TensorProto.DataType type, Object... dims) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (Object dim : dims) {
      shape.addDim(
          switch (dim) {
            case Integer size -> TensorShapeProto.Dimension.newBuilder().setDimValue(size);
            case String unknown -> TensorShapeProto.Dimension.newBuilder().setDimParam(unknown);
            default -> throw new IllegalArgumentException("dimension " + dim);
          });
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder().setElemType(type.getNumber()).setShape(shape)))
        .build();
  }
}
