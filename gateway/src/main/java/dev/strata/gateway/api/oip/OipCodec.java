package dev.strata.gateway.api.oip;

import dev.strata.gateway.api.TensorReader;
import dev.strata.gateway.api.WishReader;
import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.InferenceRequest;
import dev.strata.gateway.call.Precision;
import dev.strata.graph.Tensor;
import inference.InferParameter;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The protocol's rules for a request, once for both transports.
final class OipCodec {

  /// The request parameter and response parameter that carries the precision.
  static final String BITS = "bits";

  static final String BINARY_DATA_SIZE = "binary_data_size";
  static final int MAX_TENSORS = 64;
  static final int MAX_PARAMETERS = 64;
  private static final int MAX_ID_LENGTH = 256;

  /// Parameters that would change the answer and that this server does not know how to follow.
  private static final Set<String> NOT_OFFERED =
      Set.of(
          "shared_memory_region",
          "shared_memory_offset",
          "shared_memory_byte_size",
          "classification");

  private OipCodec() {}

  /// @throws InferenceException naming the field, what was got and what was expected
  static InferenceRequest request(OipCall call) {
    atMost("id: characters", call.id().length(), MAX_ID_LENGTH);
    atMost("inputs", call.inputs().size(), MAX_TENSORS);
    atMost("outputs", call.outputs().size(), MAX_TENSORS);
    atMost("parameters", call.parameters().size(), MAX_PARAMETERS);
    return new InferenceRequest(
        call.model(),
        call.version(),
        call.id(),
        precision(call),
        WishReader.urgency(
            List.of(new ParameterWishes(call.parameters()), call.headers()), call.deadlineNanos()),
        inputs(call.inputs()),
        outputs(call.outputs()));
  }

  private static Map<String, Tensor> inputs(List<OipCall.Input> inputs) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      OipCall.Input input = inputs.get(i);
      String field = "inputs[%d] '%s'".formatted(i, TensorReader.excerpt(input.name()));
      offered(field, input.parameters());
      if (tensors.containsKey(input.name())) {
        throw InferenceException.invalid(field + ": got the name twice, expected it once");
      }
      tensors.put(
          input.name(),
          TensorReader.read(field, input.datatype(), input.shape(), input.elements()));
    }
    return tensors;
  }

  private static List<String> outputs(List<OipCall.Output> outputs) {
    Set<String> names = new LinkedHashSet<>();
    for (int i = 0; i < outputs.size(); i++) {
      OipCall.Output output = outputs.get(i);
      String field = "outputs[%d] '%s'".formatted(i, TensorReader.excerpt(output.name()));
      offered(field, output.parameters());
      if (!names.add(output.name())) {
        throw InferenceException.invalid(field + ": got the name twice, expected it once");
      }
    }
    return List.copyOf(names);
  }

  /// A wish in the parameters wins over one in the headers; a header that makes no sense is refused
  /// either way.
  private static Precision precision(OipCall call) {
    Optional<Precision> header = WishReader.precision(call.headers());
    return WishReader.precision(new ParameterWishes(call.parameters()))
        .or(() -> header)
        .orElseGet(Precision.ModelDefault::new);
  }

  private static void offered(String field, Map<String, InferParameter> parameters) {
    atMost(field + ": parameters", parameters.size(), MAX_PARAMETERS);
    for (String name : parameters.keySet()) {
      if (NOT_OFFERED.contains(name)) {
        throw new InferenceException(
            ErrorCode.NOT_OFFERED,
            "%s: parameter '%s' is not offered by this server".formatted(field, name));
      }
    }
  }

  private static void atMost(String field, int got, int most) {
    if (got > most) {
      throw InferenceException.invalid(
          "%s: got %d, expected at most %d".formatted(field, got, most));
    }
  }
}
