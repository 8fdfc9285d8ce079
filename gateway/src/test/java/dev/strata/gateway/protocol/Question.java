package dev.strata.gateway.protocol;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One inference as a test words it, for whatever protocol.
///
/// @param header the `strata-bits` of the headers or the call's metadata
/// @param parameters request parameters: Boolean, Integer, Double or String
record Question(
    String model,
    Optional<String> version,
    String id,
    Optional<String> header,
    Map<String, Object> parameters,
    List<Input> inputs,
    List<String> outputs) {

  /// @param datatype as stated; the values are written as 32-bit floats whatever it says
  @SuppressWarnings("ArrayRecordComponent")
  record Input(String name, String datatype, List<Long> shape, float[] values) {}

  static Question of(String model, Input... inputs) {
    return new Question(
        model, Optional.empty(), "", Optional.empty(), Map.of(), List.of(inputs), List.of());
  }

  Question version(String number) {
    return new Question(model, Optional.of(number), id, header, parameters, inputs, outputs);
  }

  Question id(String mark) {
    return new Question(model, version, mark, header, parameters, inputs, outputs);
  }

  Question header(String bits) {
    return new Question(model, version, id, Optional.of(bits), parameters, inputs, outputs);
  }

  Question bits(Object bits) {
    return new Question(model, version, id, header, Map.of("bits", bits), inputs, outputs);
  }

  Question outputs(String... names) {
    return new Question(model, version, id, header, parameters, inputs, List.of(names));
  }
}
