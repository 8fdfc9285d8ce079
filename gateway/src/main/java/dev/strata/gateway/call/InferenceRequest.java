package dev.strata.gateway.call;

import dev.strata.graph.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// One inference, free of any protocol. Tensors agree with themselves; whether they fit the model
/// is the [Signature]'s matter.
///
/// @param model name of the model
/// @param version decimal number; empty for the newest that is ready
/// @param id the caller's own mark, may be empty; comes back with the answer
/// @param inputs by name; the data may be borrowed from the request's body
/// @param outputs the outputs wanted, in order; empty for all
public record InferenceRequest(
    String model,
    Optional<String> version,
    String id,
    Precision precision,
    Urgency urgency,
    Map<String, Tensor> inputs,
    List<OutputWish> outputs) {

  public InferenceRequest {
    Objects.requireNonNull(model);
    Objects.requireNonNull(version);
    Objects.requireNonNull(id);
    Objects.requireNonNull(precision);
    Objects.requireNonNull(urgency);
    inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
    outputs = List.copyOf(outputs);
  }
}
