package dev.strata.bench;

import ai.onnxruntime.OrtException;
import dev.strata.graph.Tensor;
import dev.strata.onnx.GraphProto;
import dev.strata.onnx.ModelProto;
import dev.strata.onnx.NodeProto;
import dev.strata.onnx.TensorProto;
import dev.strata.onnx.ValueInfoProto;
import dev.strata.trainer.cli.CommandFailure;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// The int8 network that ONNX Runtime is given: pairs of QuantizeLinear and DequantizeLinear around
/// convolutions, matrix products, sums and pools, which ONNX Runtime fuses to QLinearConv and its
/// kin. Activations are unsigned bytes of the calibrated range, weights signed bytes with a scale
/// for each output channel, biases 32-bit. The outputs stay floats.
final class Int8Network {
  private static final int FIRST_OPSET = 13;
  private static final Set<String> WEIGHTED = Set.of("Conv", "Gemm", "MatMul");
  private static final Set<String> WITHOUT_WEIGHTS = Set.of("Add", "GlobalAveragePool");

  /// The values of a tensor, zero included.
  private record Range(float low, float high) {
    static Range of(float[] values) {
      float low = 0;
      float high = 0;
      for (float value : values) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
      return new Range(low, high);
    }

    Range with(Range other) {
      return new Range(Math.min(low, other.low), Math.max(high, other.high));
    }

    float scale() {
      return Math.max(high - low, 1e-6f) / 255;
    }

    byte zeroPoint() {
      return (byte) Math.round(-low / scale());
    }
  }

  private final ModelProto model;
  private final Map<String, TensorProto> constants = new HashMap<>();
  private final Set<String> outputs;
  private final Set<String> coded;

  /// @param model a network of floats with opset 13 or newer
  private Int8Network(ModelProto model) {
    this.model = model;
    long opset =
        model.getOpsetImportList().stream()
            .filter(one -> one.getDomain().isEmpty())
            .mapToLong(one -> one.getVersion())
            .max()
            .orElse(0);
    if (opset < FIRST_OPSET) {
      throw CommandFailure.badInput(
          "--onnx: got opset %d, expected %d or newer to make an int8 network of it"
              .formatted(opset, FIRST_OPSET));
    }
    model.getGraph().getInitializerList().forEach(one -> constants.put(one.getName(), one));
    outputs =
        model.getGraph().getOutputList().stream()
            .map(ValueInfoProto::getName)
            .collect(Collectors.toSet());
    coded = codedTensors();
  }

  /// The int8 network of a network of floats, with the ranges of some samples of graph inputs.
  static byte[] of(ModelProto model, List<Map<String, Tensor>> samples) throws OrtException {
    Int8Network network = new Int8Network(model);
    try (OrtModel observed = new OrtModel("calibration", network.observed())) {
      return network.quantized(ranges(observed, samples));
    }
  }

  private boolean isQuantized(NodeProto node) {
    boolean constant = node.getInputCount() > 1 && constants.containsKey(node.getInput(1));
    return WEIGHTED.contains(node.getOpType())
        ? constant
        : WITHOUT_WEIGHTS.contains(node.getOpType()) && !constant;
  }

  private Set<String> codedTensors() {
    Set<String> tensors = new LinkedHashSet<>();
    for (NodeProto node : model.getGraph().getNodeList()) {
      if (isQuantized(node)) {
        node.getInputList().stream()
            .filter(input -> !input.isEmpty() && !constants.containsKey(input))
            .forEach(tensors::add);
        tensors.add(rectified(node.getOutput(0)));
      }
    }
    // What only a rectifier reads has no codes of its own: the two become one operator.
    tensors.removeIf(name -> outputs.contains(name) || !rectified(name).equals(name));
    return tensors;
  }

  /// The output of the rectifier that alone reads a tensor, else the tensor.
  private String rectified(String tensor) {
    List<NodeProto> readers =
        model.getGraph().getNodeList().stream()
            .filter(node -> node.getInputList().contains(tensor))
            .toList();
    return readers.size() == 1 && readers.getFirst().getOpType().equals("Relu")
        ? readers.getFirst().getOutput(0)
        : tensor;
  }

  /// The network with every tensor that needs a range as a further output.
  private byte[] observed() {
    GraphProto.Builder graph = model.getGraph().toBuilder();
    Set<String> inputs =
        graph.getInputList().stream().map(ValueInfoProto::getName).collect(Collectors.toSet());
    coded.stream()
        .filter(name -> !inputs.contains(name))
        .forEach(name -> graph.addOutput(ValueInfoProto.newBuilder().setName(name)));
    return model.toBuilder().setGraph(graph).build().toByteArray();
  }

  /// @param ranges of all tensors that [#observed] puts out, and of the inputs
  private byte[] quantized(Map<String, Range> ranges) {
    OnnxGraph codes = new OnnxGraph();
    Map<String, String> renamed = new HashMap<>();
    for (ValueInfoProto input : model.getGraph().getInputList()) {
      if (coded.contains(input.getName())) {
        pair(codes, input.getName(), ranges, renamed);
      }
    }
    for (NodeProto node : model.getGraph().getNodeList()) {
      NodeProto.Builder copy = node.toBuilder();
      if (WEIGHTED.contains(node.getOpType()) && isQuantized(node)) {
        weights(codes, node, ranges, copy);
      }
      for (int i = 0; i < copy.getInputCount(); i++) {
        copy.setInput(i, renamed.getOrDefault(copy.getInput(i), copy.getInput(i)));
      }
      codes.node(copy.build());
      for (String output : node.getOutputList()) {
        if (coded.contains(output)) {
          pair(codes, output, ranges, renamed);
        }
      }
    }
    GraphProto.Builder graph = model.getGraph().toBuilder().clearNode();
    return model.toBuilder().setGraph(codes.appendTo(graph)).build().toByteArray();
  }

  private static void pair(
      OnnxGraph codes, String name, Map<String, Range> ranges, Map<String, String> renamed) {
    Range range = ranges.get(name);
    codes
        .floats(name + ".scale", new float[] {range.scale()})
        .constant(name + ".zero", OnnxGraph.U8, new byte[] {range.zeroPoint()});
    String by = " %s.scale %s.zero".formatted(name, name);
    codes
        .node("QuantizeLinear", name + by, name + ".codes")
        .node("DequantizeLinear", name + ".codes" + by, name + ".values");
    renamed.put(name, name + ".values");
  }

  private void weights(
      OnnxGraph codes, NodeProto node, Map<String, Range> ranges, NodeProto.Builder copy) {
    TensorProto weight = constants.get(node.getInput(1));
    int axis = axis(node, weight);
    int channels = Math.toIntExact(weight.getDims(axis));
    int inner = 1;
    for (int i = axis + 1; i < weight.getDimsCount(); i++) {
      inner = Math.multiplyExact(inner, Math.toIntExact(weight.getDims(i)));
    }
    float[] values = floats(weight);
    float[] scales = new float[channels];
    int largest = (1 << (OrtPeer.WEIGHT_BITS - 1)) - 1;
    for (int i = 0; i < values.length; i++) {
      int channel = i / inner % channels;
      scales[channel] = Math.max(scales[channel], Math.abs(values[i]) / largest);
    }
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      float scale = scales[i / inner % channels];
      bytes[i] = (byte) (scale == 0 ? 0 : Math.round(values[i] / scale));
    }
    // Two nodes may share a weight but not the input's scale, which the bias needs.
    String name = node.getOutput(0) + ".weight";
    long[] dims = weight.getDimsList().stream().mapToLong(Long::longValue).toArray();
    codes
        .constant(name + ".codes", OnnxGraph.S8, bytes, dims)
        .floats(name + ".scale", scales, channels)
        .constant(name + ".zero", OnnxGraph.S8, new byte[channels], channels)
        .node(
            "DequantizeLinear",
            "%s.codes %s.scale %s.zero".formatted(name, name, name),
            name,
            OnnxGraph.attribute("axis", axis));
    copy.setInput(1, name);
    if (node.getInputCount() > 2 && constants.containsKey(node.getInput(2))) {
      bias(codes, node, ranges.get(node.getInput(0)).scale(), scales);
      copy.setInput(2, node.getOutput(0) + ".bias");
    }
  }

  private void bias(OnnxGraph codes, NodeProto node, float inputScale, float[] weightScales) {
    float[] values = floats(constants.get(node.getInput(2)));
    float[] scales = new float[values.length];
    int[] wholes = new int[values.length];
    for (int i = 0; i < values.length; i++) {
      scales[i] = Math.max(inputScale * weightScales[i], Float.MIN_NORMAL);
      wholes[i] = Math.round(values[i] / scales[i]);
    }
    String name = node.getOutput(0) + ".bias";
    codes
        .constant(name + ".codes", OnnxGraph.S32, ProductPeers.littleEndian(wholes), values.length)
        .floats(name + ".scale", scales, values.length)
        .constant(name + ".zero", OnnxGraph.S32, new byte[4 * values.length], values.length)
        .node(
            "DequantizeLinear",
            "%s.codes %s.scale %s.zero".formatted(name, name, name),
            name,
            OnnxGraph.attribute("axis", 0));
  }

  /// The axis of the output channels.
  private static int axis(NodeProto node, TensorProto weight) {
    boolean transposed =
        node.getAttributeList().stream()
            .anyMatch(one -> one.getName().equals("transB") && one.getI() != 0);
    return node.getOpType().equals("Conv") || transposed ? 0 : weight.getDimsCount() - 1;
  }

  private static float[] floats(TensorProto tensor) {
    if (tensor.getRawData().isEmpty()) {
      float[] values = new float[tensor.getFloatDataCount()];
      for (int i = 0; i < values.length; i++) {
        values[i] = tensor.getFloatData(i);
      }
      return values;
    }
    ByteBuffer bytes = ByteBuffer.wrap(tensor.getRawData().toByteArray());
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  /// Ranges over some samples of graph inputs.
  private static Map<String, Range> ranges(OrtModel observed, List<Map<String, Tensor>> samples)
      throws OrtException {
    Map<String, Range> ranges = new LinkedHashMap<>();
    for (Map<String, Tensor> sample : samples) {
      try (OrtModel.Call call = observed.call(sample)) {
        call.outputs().forEach((name, values) -> ranges.merge(name, Range.of(values), Range::with));
      }
      sample.forEach(
          (name, tensor) -> ranges.merge(name, Range.of(tensor.toFloats()), Range::with));
    }
    return ranges;
  }
}
