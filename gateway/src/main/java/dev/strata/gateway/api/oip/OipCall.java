package dev.strata.gateway.api.oip;

import dev.strata.gateway.api.Elements;
import dev.strata.gateway.api.HeaderWishes;
import inference.InferParameter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// One inference as the Open Inference Protocol words it, on either transport, before anything in
/// it is believed. [OipCodec] turns it into a request.
///
/// @param version empty for the server's choice
/// @param headers what the headers or the call's metadata wish
/// @param deadlineNanos in terms of [System#nanoTime], as the transport tells it
record OipCall(
    String model,
    Optional<String> version,
    String id,
    Map<String, InferParameter> parameters,
    List<Input> inputs,
    List<Output> outputs,
    HeaderWishes headers,
    OptionalLong deadlineNanos) {

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
