package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.ServedModel;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// A computation that is worth an idle worker's time and nobody else's.
///
/// @param inputs by name; owned by this, since their request is long over
/// @param hold leases the model when the computation begins and gives what ends the lease; empty if
///     the model is no longer there or no longer has the width
/// @param end gets the outputs, or nothing if there are none: others needed the worker
public record Spare(
    ServedModel model,
    Bits bits,
    Map<String, Tensor> inputs,
    Supplier<Optional<Runnable>> hold,
    Consumer<Optional<Map<String, Tensor>>> end) {}
