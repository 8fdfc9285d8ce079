package dev.strata.gateway.api.oip;

import dev.strata.gateway.api.Elements;
import inference.InferParameter;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One inference as the Open Inference Protocol words it, on either transport, before anything in
/// it is believed. [OipCodec] turns it into a request.
///
/// @param version empty for the server's choice
/// @param bits the `strata-bits` of the headers or the call's metadata
record OipCall(
    String model,
    Optional<String> version,
    String id,
    Map<String, InferParameter> parameters,
    List<Input> inputs,
    List<Output> outputs,
    Optional<String> bits) {

  record Input(
      String name,
      String datatype,
      List<Long> shape,
      Map<String, InferParameter> parameters,
      Elements elements) {}

  record Output(String name, Map<String, InferParameter> parameters) {}

  OipCall {
    parameters = Map.copyOf(parameters);
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
  }
}
