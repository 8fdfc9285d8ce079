package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.ServedModel;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/// Work that waits for a worker.
///
/// @param enqueuedNanos [System#nanoTime] at acceptance
record PendingRequest(
    ServedModel model,
    Bits bits,
    Map<String, Tensor> inputs,
    long enqueuedNanos,
    CompletableFuture<Completion> promise) {}
