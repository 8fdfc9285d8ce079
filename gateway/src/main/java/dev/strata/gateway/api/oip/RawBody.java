package dev.strata.gateway.api.oip;

import dev.strata.gateway.api.HeaderWishes;
import dev.strata.gateway.api.RawElements;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.Signature;
import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.TensorSpec;
import inference.InferParameter;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// A request without any JSON: the body is the data of the model's only input. An image or a text
/// is one element; of any other input at most one dimension may vary, and the length settles it.
final class RawBody {

  private RawBody() {}

  /// @param binaryOutputs whether the outputs come back in binary
  static OipCall call(ModelCard card, RestBody body, boolean binaryOutputs, HeaderWishes headers) {
    Signature signature = card.signature();
    if (signature.inputs().size() != 1) {
      throw InferenceException.invalid(
          "%s: got 0, expected the length of a JSON part, for the model has %d inputs"
              .formatted(RestInference.JSON_LENGTH, signature.inputs().size()));
    }
    TensorSpec spec = signature.inputs().getFirst();
    return new OipCall(
        card.name(),
        Optional.of(card.version()),
        "",
        Map.of(
            OipJsonWriter.BINARY_DATA_OUTPUT,
            InferParameter.newBuilder().setBoolParam(binaryOutputs).build()),
        List.of(
            signature.prepared() || spec.type() == DataType.BYTES
                ? element(spec, body)
                : tensor(spec, body)),
        List.of(),
        headers,
        OptionalLong.empty());
  }

  private static OipCall.Input element(TensorSpec spec, RestBody body) {
    ByteBuffer length =
        ByteBuffer.allocate(Integer.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(body.length())
            .flip();
    List<MemorySegment> prefixed = new ArrayList<>();
    prefixed.add(MemorySegment.ofBuffer(length));
    prefixed.addAll(body.pieces());
    return input(spec, DataType.BYTES, List.of(1L), prefixed);
  }

  private static OipCall.Input tensor(TensorSpec spec, RestBody body) {
    List<Long> dims = spec.shape().dims();
    if (dims.stream().filter(dim -> dim == Shape.VARIABLE).count() > 1) {
      throw InferenceException.invalid(
          "%s: got 0, expected the length of a JSON part, for input '%s' has shape %s"
              .formatted(RestInference.JSON_LENGTH, spec.name(), spec.shape()));
    }
    long step = spec.type().byteSize();
    for (long dim : dims) {
      step = Math.multiplyExact(step, dim == Shape.VARIABLE ? 1 : dim);
    }
    long variable = body.length() / step;
    return input(
        spec,
        spec.type(),
        dims.stream().map(dim -> dim == Shape.VARIABLE ? variable : dim).toList(),
        body.pieces());
  }

  private static OipCall.Input input(
      TensorSpec spec, DataType type, List<Long> shape, List<MemorySegment> data) {
    return new OipCall.Input(spec.name(), type.name(), shape, Map.of(), new RawElements(data));
  }
}
