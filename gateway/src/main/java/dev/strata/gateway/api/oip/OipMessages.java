package dev.strata.gateway.api.oip;

import dev.strata.gateway.api.Elements;
import dev.strata.gateway.api.HeaderWishes;
import dev.strata.gateway.api.RawElements;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.InferenceResult;
import inference.InferParameter;
import inference.ModelInferRequest;
import inference.ModelInferResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// Between the protobuf messages of an inference and the gateway's own records.
final class OipMessages {

  private OipMessages() {}

  /// @param metadata what the call's metadata wish
  /// @param deadlineNanos the call's deadline
  static OipCall call(
      ModelInferRequest message, HeaderWishes metadata, OptionalLong deadlineNanos) {
    boolean raw = message.getRawInputContentsCount() > 0;
    if (raw && message.getRawInputContentsCount() != message.getInputsCount()) {
      throw InferenceException.invalid(
          "raw_input_contents: got %d entries, expected %d, one per input"
              .formatted(message.getRawInputContentsCount(), message.getInputsCount()));
    }
    List<OipCall.Input> inputs = new ArrayList<>();
    for (int i = 0; i < message.getInputsCount(); i++) {
      ModelInferRequest.InferInputTensor input = message.getInputs(i);
      if (raw && input.hasContents()) {
        throw InferenceException.invalid(
            "inputs[%d] '%s': got contents beside raw_input_contents, expected one of them"
                .formatted(i, input.getName()));
      }
      Elements elements =
          raw
              ? RawElements.of(message.getRawInputContents(i))
              : new TypedElements(input.getContents());
      inputs.add(
          new OipCall.Input(
              input.getName(),
              input.getDatatype(),
              input.getShapeList(),
              input.getParametersMap(),
              elements));
    }
    return new OipCall(
        message.getModelName(),
        version(message.getModelVersion()),
        message.getId(),
        message.getParametersMap(),
        inputs,
        message.getOutputsList().stream()
            .map(output -> new OipCall.Output(output.getName(), output.getParametersMap()))
            .toList(),
        metadata,
        deadlineNanos);
  }

  /// Always raw, whatever form the request had: common clients read nothing else.
  static ModelInferResponse response(InferenceResult result) {
    ModelInferResponse.Builder message =
        ModelInferResponse.newBuilder()
            .setModelName(result.model())
            .setModelVersion(result.version())
            .setId(result.id())
            .putParameters(OipCodec.BITS, integer(result.bits().count()))
            .putParameters("requested", text(result.requested().text()))
            .putParameters("bits_reason", text(result.reason().label()))
            .putParameters("queue_us", integer(result.queueMicros()))
            .putParameters("compute_us", integer(result.computeMicros()));
    if (result.cached()) {
      message.putParameters("cached", flag(true));
    }
    for (InferenceResult.Output output : result.outputs()) {
      message.addOutputs(
          ModelInferResponse.InferOutputTensor.newBuilder()
              .setName(output.name())
              .setDatatype(output.tensor().type().name())
              .addAllShape(output.tensor().shape().dims()));
      message.addRawOutputContents(RawElements.bytes(output.tensor()));
    }
    return message.build();
  }

  /// An unset version is the server's choice.
  static Optional<String> version(String version) {
    return version.isEmpty() ? Optional.empty() : Optional.of(version);
  }

  static InferParameter flag(boolean value) {
    return InferParameter.newBuilder().setBoolParam(value).build();
  }

  private static InferParameter text(String value) {
    return InferParameter.newBuilder().setStringParam(value).build();
  }

  private static InferParameter integer(long value) {
    return InferParameter.newBuilder().setInt64Param(value).build();
  }
}
