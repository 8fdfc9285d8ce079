package dev.strata.trainer.onnx;

import dev.strata.onnx.AttributeProto;
import dev.strata.onnx.ModelProto;
import dev.strata.onnx.NodeProto;
import dev.strata.onnx.TensorProto;
import dev.strata.onnx.ValueInfoProto;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Which of ONNX's node cases the import answers for, by rule.
final class ConformanceScope {
  /// Inputs that are constant in a network, by operator.
  private static final Map<String, List<Integer>> CONSTANT_INPUTS =
      Map.ofEntries(
          Map.entry("Conv", List.of(1, 2)),
          Map.entry("Reshape", List.of(1)),
          Map.entry("Expand", List.of(1)),
          Map.entry("Slice", List.of(1, 2, 3, 4)),
          Map.entry("Pad", List.of(1, 2)),
          Map.entry("Resize", List.of(1, 2, 3)),
          Map.entry("Squeeze", List.of(1)),
          Map.entry("Unsqueeze", List.of(1)),
          Map.entry("Split", List.of(1)),
          Map.entry("ReduceSum", List.of(1)),
          Map.entry("ConstantOfShape", List.of(0)),
          Map.entry("Range", List.of(0, 1, 2)),
          Map.entry("Dropout", List.of(1, 2)));

  private static final Set<TensorProto.DataType> TYPES =
      Set.of(
          TensorProto.DataType.FLOAT,
          TensorProto.DataType.INT64,
          TensorProto.DataType.INT32,
          TensorProto.DataType.BOOL);

  private static final Set<String> ARITHMETIC =
      Set.of("Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Sum", "Mod", "Equal", "Clip");

  /// The published outputs take the size before rounding (2 * 0.6 places) for the distance of
  /// the corners; ONNX Runtime takes the size after rounding, and so do we (`OperatorTest`
  /// compares).
  private static final String DISPUTED = "test_resize_downsample_scales_linear_align_corners";

  private ConformanceScope() {}

  /// @return why a case is left out; empty if it must pass
  static Optional<String> exclusion(String name, ModelProto model) {
    if (name.equals(DISPUTED)) {
      return Optional.of("outputs that ONNX Runtime does not give either");
    }
    List<NodeProto> nodes = model.getGraph().getNodeList();
    Set<String> known = new HashSet<>(Lowering.types());
    known.addAll(Set.of("BatchNormalization", "Constant"));
    if (!nodes.stream().allMatch(node -> known.contains(node.getOpType()))) {
      return Optional.of("other operators");
    }
    if (!values(model).allMatch(value -> value.getType().hasTensorType())) {
      return Optional.of("sequences and optional values");
    }
    if (!values(model).allMatch(value -> TYPES.contains(type(value)))) {
      return Optional.of("element types other than FP32, INT64, INT32 and BOOL");
    }
    return nodes.stream().map(node -> exclusion(node, model)).flatMap(Optional::stream).findFirst();
  }

  private static Optional<String> exclusion(NodeProto node, ModelProto model) {
    if (ARITHMETIC.contains(node.getOpType()) && isWholeInput(node, model)) {
      return Optional.of("whole-number arithmetic on inputs (the runtime has it for shapes only)");
    }
    boolean isWindow = Set.of("Conv", "MaxPool", "AveragePool").contains(node.getOpType());
    if (isWindow && attribute(node, "kernel_shape").getIntsCount() > 2) {
      return Optional.of("windows with three spatial axes");
    }
    if (node.getOpType().equals("MaxPool") && node.getOutputCount() > 1) {
      return Optional.of("MaxPool's Indices output");
    }
    if (node.getOpType().equals("Dropout")
        && (node.getOutputCount() > 1 || node.getInputCount() > 2)) {
      return Optional.of("Dropout for training: its mask or training mode");
    }
    if (node.getOpType().equals("BatchNormalization") && node.getOutputCount() > 1) {
      return Optional.of("BatchNormalization in training mode");
    }
    if (node.getOpType().equals("Mod") && attribute(node, "fmod").getI() != 0) {
      return Optional.of("the remainder of real numbers (Mod is for shapes only)");
    }
    if (node.getOpType().equals("Resize") && !isPlainResize(node)) {
      return Optional.of("cubic, cropping and TensorFlow 1 modes of Resize");
    }
    return Optional.empty();
  }

  private static boolean isPlainResize(NodeProto node) {
    String mode = attribute(node, "mode").getS().toStringUtf8();
    String coordinates = attribute(node, "coordinate_transformation_mode").getS().toStringUtf8();
    return !mode.equals("cubic") && !coordinates.startsWith("tf_");
  }

  private static AttributeProto attribute(NodeProto node, String name) {
    return node.getAttributeList().stream()
        .filter(attribute -> attribute.getName().equals(name))
        .findFirst()
        .orElse(AttributeProto.getDefaultInstance());
  }

  private static boolean isWholeInput(NodeProto node, ModelProto model) {
    return model.getGraph().getInputList().stream()
        .filter(input -> input.getName().equals(node.getInput(0)))
        .anyMatch(input -> type(input) != TensorProto.DataType.FLOAT);
  }

  /// Inputs of the graph that the operators of a case want as constants.
  static Set<String> constantInputs(ModelProto model) {
    Set<String> names = new HashSet<>();
    for (NodeProto node : model.getGraph().getNodeList()) {
      for (int index : CONSTANT_INPUTS.getOrDefault(node.getOpType(), List.of())) {
        if (index < node.getInputCount() && !node.getInput(index).isEmpty()) {
          names.add(node.getInput(index));
        }
      }
    }
    names.retainAll(model.getGraph().getInputList().stream().map(ValueInfoProto::getName).toList());
    return names;
  }

  private static Stream<ValueInfoProto> values(ModelProto model) {
    return Stream.concat(
        model.getGraph().getInputList().stream(), model.getGraph().getOutputList().stream());
  }

  private static TensorProto.DataType type(ValueInfoProto value) {
    return TensorProto.DataType.forNumber(value.getType().getTensorType().getElemType());
  }
}
