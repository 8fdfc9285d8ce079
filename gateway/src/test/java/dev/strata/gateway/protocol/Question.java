package dev.strata.gateway.protocol;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One inference as a test words it, for whatever protocol.
///
/// @param headers of the request, or the call's metadata, in lower case
/// @param parameters request parameters: Boolean, Integer, Double or String
record Question(
    String model,
    Optional<String> version,
    String id,
    Map<String, String> headers,
    Map<String, Object> parameters,
    List<Input> inputs,
    List<String> outputs) {

  /// @param datatype as stated; the values are written as 32-bit floats whatever it says
  @SuppressWarnings("ArrayRecordComponent")
  record Input(String name, String datatype, List<Long> shape, float[] values) {}

  static Question of(String model, Input... inputs) {
    return new Question(
        model, Optional.empty(), "", Map.of(), Map.of(), List.of(inputs), List.of());
  }

  Question version(String number) {
    return new Question(model, Optional.of(number), id, headers, parameters, inputs, outputs);
  }

  Question id(String mark) {
    return new Question(model, version, mark, headers, parameters, inputs, outputs);
  }

  Question header(String bits) {
    return header("strata-bits", bits);
  }

  Question header(String name, String value) {
    Map<String, String> all = new LinkedHashMap<>(headers);
    all.put(name, value);
    return new Question(model, version, id, all, parameters, inputs, outputs);
  }

  Question bits(Object bits) {
    return parameter("bits", bits);
  }

  Question parameter(String name, Object value) {
    Map<String, Object> all = new LinkedHashMap<>(parameters);
    all.put(name, value);
    return new Question(model, version, id, headers, all, inputs, outputs);
  }

  Question without(String parameter) {
    Map<String, Object> all = new LinkedHashMap<>(parameters);
    all.remove(parameter);
    return new Question(model, version, id, headers, all, inputs, outputs);
  }

  Question outputs(String... names) {
    return new Question(model, version, id, headers, parameters, inputs, List.of(names));
  }
}
