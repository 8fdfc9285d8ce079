package dev.strata.gateway.scheduling;

import dev.strata.graph.Tensor;
import java.util.Map;

/// A finished computation.
///
/// @param outputs by name, heap memory
/// @param queueMicros from acceptance to the start
/// @param computeMicros from the start to the end
public record Completion(Map<String, Tensor> outputs, long queueMicros, long computeMicros) {}
