package dev.strata.gateway.scheduling;

import dev.strata.graph.Tensor;
import java.util.Map;
import java.util.OptionalDouble;

/// A finished computation.
///
/// @param outputs by name, heap memory
/// @param margin as the model told it
/// @param queueMicros from acceptance to the start
/// @param computeMicros from the start to the end, for all that were computed together
public record Completion(
    Map<String, Tensor> outputs, OptionalDouble margin, long queueMicros, long computeMicros) {}
