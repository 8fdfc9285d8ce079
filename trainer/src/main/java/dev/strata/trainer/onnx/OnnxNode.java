package dev.strata.trainer.onnx;

import java.util.List;
import java.util.Optional;

/// One operator of the network, still with ONNX's meaning.
///
/// @param name for messages and layer names; unique
/// @param type ONNX's operator name, or [#FULLY_CONNECTED]
/// @param inputs value names, empty where an optional input is left out
/// @param outputs value names, empty where an optional output is left out
record OnnxNode(
    String name, String type, List<String> inputs, List<String> outputs, Attributes attributes) {

  /// Not ONNX's: `x W^T + b` with constant W `[out][in]` and optional constant b `[out]`.
  static final String FULLY_CONNECTED = "FullyConnected";

  OnnxNode {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
  }

  boolean is(String wanted) {
    return type.equals(wanted);
  }

  String input(int index) {
    return optionalInput(index)
        .orElseThrow(
            () ->
                new ModelImportException(
                    "node '%s' (%s): input %d is missing".formatted(name, type, index)));
  }

  Optional<String> optionalInput(int index) {
    return index < inputs.size()
        ? Optional.of(inputs.get(index)).filter(input -> !input.isEmpty())
        : Optional.empty();
  }

  String output() {
    return outputs.getFirst();
  }

  Optional<String> optionalOutput(int index) {
    return index < outputs.size()
        ? Optional.of(outputs.get(index)).filter(output -> !output.isEmpty())
        : Optional.empty();
  }

  OnnxNode withInputs(List<String> newInputs) {
    return new OnnxNode(name, type, newInputs, outputs, attributes);
  }

  OnnxNode withOutputs(List<String> newOutputs) {
    return new OnnxNode(name, type, inputs, newOutputs, attributes);
  }
}
