package dev.strata.trainer.onnx;

import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.onnx.AttributeProto;
import dev.strata.onnx.GraphProto;
import dev.strata.onnx.ModelProto;
import dev.strata.onnx.NodeProto;
import dev.strata.onnx.OperatorSetIdProto;
import dev.strata.onnx.TensorProto;
import dev.strata.onnx.TensorShapeProto;
import dev.strata.onnx.TypeProto;
import dev.strata.onnx.ValueInfoProto;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The messages of a file to a [Network]: initializers and Constant nodes become constants,
/// every node gets a name of its own.
final class NetworkDecoder {
  static final int OLDEST_OPSET = 11;
  static final int NEWEST_OPSET = 21;

  private final Map<String, Tensor> constants = new LinkedHashMap<>();
  private final List<OnnxNode> nodes = new ArrayList<>();
  private final Set<String> nodeNames = new HashSet<>();

  private NetworkDecoder() {}

  static Network decode(ModelProto model) {
    return new NetworkDecoder().network(model);
  }

  private Network network(ModelProto model) {
    int opset = opset(model);
    GraphProto graph = model.getGraph();
    if (graph.getOutputCount() == 0) {
      throw new ModelImportException("the file holds no ONNX graph with outputs");
    }
    for (TensorProto initializer : graph.getInitializerList()) {
      constants.put(initializer.getName(), TensorDecoder.decode(initializer));
    }
    graph.getNodeList().forEach(this::add);
    Map<String, ValueFacts> inputs = new LinkedHashMap<>();
    for (ValueInfoProto input : graph.getInputList()) {
      if (!constants.containsKey(input.getName())) {
        inputs.put(input.getName(), facts(input));
      }
    }
    checkOrder(inputs.keySet());
    List<String> outputs = graph.getOutputList().stream().map(ValueInfoProto::getName).toList();
    return new Network(opset, inputs, outputs, nodes, constants);
  }

  private static int opset(ModelProto model) {
    long version =
        model.getOpsetImportList().stream()
            .filter(set -> isStandard(set.getDomain()))
            .mapToLong(OperatorSetIdProto::getVersion)
            .max()
            .orElse(1);
    if (version < OLDEST_OPSET || version > NEWEST_OPSET) {
      throw new ModelImportException(
          "opset: got %d, expected %d to %d; export the network again with such an opset version"
              .formatted(version, OLDEST_OPSET, NEWEST_OPSET));
    }
    return (int) version;
  }

  private static boolean isStandard(String domain) {
    return domain.isEmpty() || domain.equals("ai.onnx");
  }

  /// ONNX wants every value computed before it is read.
  private void checkOrder(Set<String> inputs) {
    Set<String> known = new HashSet<>(inputs);
    known.addAll(constants.keySet());
    known.add("");
    for (OnnxNode node : nodes) {
      for (String input : node.inputs()) {
        if (!known.contains(input)) {
          throw new ModelImportException(
              "node '%s' (%s) reads '%s', which nothing before it computes"
                  .formatted(node.name(), node.type(), input));
        }
      }
      known.addAll(node.outputs());
    }
  }

  private void add(NodeProto proto) {
    if (proto.getOutputCount() == 0) {
      throw new ModelImportException(
          "node '%s' (%s) has no output".formatted(proto.getName(), proto.getOpType()));
    }
    if (proto.getOpType().equals("Constant") && isStandard(proto.getDomain())) {
      constants.put(proto.getOutput(0), constant(proto));
      return;
    }
    String base = proto.getName().isEmpty() ? proto.getOutput(0) : proto.getName();
    String name = base;
    for (int i = 1; !nodeNames.add(name); i++) {
      name = base + "." + i;
    }
    String type =
        isStandard(proto.getDomain())
            ? proto.getOpType()
            : proto.getDomain() + "." + proto.getOpType();
    nodes.add(
        new OnnxNode(
            name,
            type,
            proto.getInputList(),
            outputs(proto, name),
            Attributes.of(proto.getAttributeList())));
  }

  /// A first output that is left out, of a Split for instance, gets a name all the same.
  private static List<String> outputs(NodeProto proto, String nodeName) {
    List<String> outputs = new ArrayList<>(proto.getOutputList());
    if (outputs.getFirst().isEmpty()) {
      outputs.set(0, nodeName + "@unused");
    }
    return outputs;
  }

  private static Tensor constant(NodeProto proto) {
    for (AttributeProto attribute : proto.getAttributeList()) {
      switch (attribute.getName()) {
        case "value" -> {
          return TensorDecoder.decode(attribute.getT());
        }
        case "value_float" -> {
          return Tensor.of(Shape.of(), new float[] {attribute.getF()});
        }
        case "value_floats" -> {
          return Tensors.reals(attribute.getFloatsList());
        }
        case "value_int" -> {
          return Tensor.of(Shape.of(), new long[] {attribute.getI()});
        }
        case "value_ints" -> {
          return Tensors.wholes(attribute.getIntsList());
        }
        default -> {
          // Another attribute, or a string or sparse value: if nothing else follows, an error.
        }
      }
    }
    throw new ModelImportException(
        "constant '%s': expected a dense tensor or numbers".formatted(proto.getOutput(0)));
  }

  private static ValueFacts facts(ValueInfoProto value) {
    String where = "input '" + value.getName() + "'";
    TypeProto.Tensor type = value.getType().getTensorType();
    if (!value.getType().hasTensorType()) {
      throw new ModelImportException(where + ": expected a tensor");
    }
    List<Extent> extents = new ArrayList<>();
    for (int axis = 0; axis < type.getShape().getDimCount(); axis++) {
      extents.add(extent(type.getShape().getDim(axis), value.getName() + "#" + axis));
    }
    return new ValueFacts(
        TensorDecoder.elementType(type.getElemType(), where),
        type.hasShape() ? Optional.of(extents) : Optional.empty(),
        Optional.empty());
  }

  /// Paddle writes "?" for every unknown dimension, so that name says nothing about equality.
  private static Extent extent(TensorShapeProto.Dimension dimension, String own) {
    if (dimension.hasDimValue() && dimension.getDimValue() >= 0) {
      return Extent.of(dimension.getDimValue());
    }
    boolean isNamed = !dimension.getDimParam().isEmpty() && !dimension.getDimParam().equals("?");
    return Extent.unknown(isNamed ? dimension.getDimParam() : own);
  }
}
