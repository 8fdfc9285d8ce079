package dev.strata.gateway.api.oip;

import com.google.common.base.Utf8;
import dev.strata.gateway.api.Limits;
import dev.strata.gateway.api.TensorReader;
import dev.strata.gateway.api.WishReader;
import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.InferenceRequest;
import dev.strata.gateway.call.OutputWish;
import dev.strata.gateway.call.Precision;
import dev.strata.graph.Tensor;
import inference.InferParameter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/// The protocol's rules for a request, once for both transports.
final class OipCodec {

  /// The request parameter and response parameter that carries the precision.
  static final String BITS = "bits";

  /// The parameter of an output that asks for its highest classes.
  private static final String CLASSIFICATION = "classification";

  static final String BINARY_DATA_SIZE = "binary_data_size";

  /// Parameters that would change the answer and that this server does not know how to follow.
  private static final Set<String> NOT_OFFERED =
      Set.of("shared_memory_region", "shared_memory_offset", "shared_memory_byte_size");

  private OipCodec() {}

  /// @throws InferenceException naming the field, what was got and what was expected
  static InferenceRequest request(OipCall call, Limits limits) {
    Limits.atMost("id: bytes", Utf8.encodedLength(call.id()), limits.idBytes());
    Limits.atMost("inputs", call.inputs().size(), limits.tensors());
    Limits.atMost("outputs", call.outputs().size(), limits.tensors());
    check("parameters", call.parameters(), limits);
    return new InferenceRequest(
        call.model(),
        call.version(),
        call.id(),
        precision(call),
        WishReader.urgency(
            List.of(new ParameterWishes("parameters", call.parameters()), call.headers()),
            call.deadlineNanos()),
        inputs(call.inputs(), limits),
        outputs(call.outputs(), limits));
  }

  private static Map<String, Tensor> inputs(List<OipCall.Input> inputs, Limits limits) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      OipCall.Input input = inputs.get(i);
      String field = "inputs[%d] '%s'".formatted(i, TensorReader.excerpt(input.name()));
      offered(field, input.parameters(), limits);
      if (tensors.containsKey(input.name())) {
        throw InferenceException.invalid(field + ": got the name twice, expected it once");
      }
      tensors.put(
          input.name(),
          TensorReader.read(field, input.datatype(), input.shape(), input.elements(), limits));
    }
    return tensors;
  }

  private static List<OutputWish> outputs(List<OipCall.Output> outputs, Limits limits) {
    Set<String> names = new HashSet<>();
    List<OutputWish> wishes = new ArrayList<>();
    for (int i = 0; i < outputs.size(); i++) {
      OipCall.Output output = outputs.get(i);
      String field = "outputs[%d] '%s'".formatted(i, TensorReader.excerpt(output.name()));
      offered(field, output.parameters(), limits);
      if (!names.add(output.name())) {
        throw InferenceException.invalid(field + ": got the name twice, expected it once");
      }
      wishes.add(new OutputWish(output.name(), classes(field, output.parameters())));
    }
    return wishes;
  }

  private static OptionalInt classes(String field, Map<String, InferParameter> parameters) {
    OptionalLong classes =
        new ParameterWishes(field + ": parameters", parameters).integer(CLASSIFICATION);
    if (classes.isEmpty()) {
      return OptionalInt.empty();
    }
    if (classes.getAsLong() < 1) {
      throw InferenceException.invalid(
          "%s: parameters.%s: got %d, expected at least 1"
              .formatted(field, CLASSIFICATION, classes.getAsLong()));
    }
    return OptionalInt.of((int) Math.min(classes.getAsLong(), Integer.MAX_VALUE));
  }

  /// A wish in the parameters wins over one in the headers; a header that makes no sense is refused
  /// either way.
  private static Precision precision(OipCall call) {
    Optional<Precision> header = WishReader.precision(call.headers());
    return WishReader.precision(new ParameterWishes("parameters", call.parameters()))
        .or(() -> header)
        .orElseGet(Precision.ModelDefault::new);
  }

  private static void check(String field, Map<String, InferParameter> parameters, Limits limits) {
    Limits.atMost(field, parameters.size(), limits.parameters());
    parameters.forEach(
        (name, value) -> {
          String at = field + "." + TensorReader.excerpt(name);
          Limits.atMost(at + ": bytes of its name", name.length(), limits.parameterBytes());
          Limits.atMost(
              at + ": bytes", Utf8.encodedLength(value.getStringParam()), limits.parameterBytes());
        });
  }

  private static void offered(String field, Map<String, InferParameter> parameters, Limits limits) {
    check(field + ": parameters", parameters, limits);
    for (String name : parameters.keySet()) {
      if (NOT_OFFERED.contains(name)) {
        throw new InferenceException(
            ErrorCode.NOT_OFFERED,
            "%s: parameter '%s' is not offered by this server".formatted(field, name));
      }
    }
  }
}
