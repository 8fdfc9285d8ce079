package dev.strata.gateway.scheduling;

import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.util.Map;
import java.util.OptionalDouble;

/// A finished computation.
///
/// @param bits the width it was computed at
/// @param outputs by name, heap memory
/// @param margin as the model told it
/// @param queueMicros from acceptance to the start
/// @param computeMicros from the start to the end, for all that were computed together
public record Completion(
    Bits bits,
    Map<String, Tensor> outputs,
    OptionalDouble margin,
    long queueMicros,
    long computeMicros) {}
