package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.Cancellation;
import dev.strata.gateway.call.ServedModel;
import dev.strata.gateway.call.Urgency;
import dev.strata.gateway.call.Workload;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.util.Map;

/// One computation to be done.
///
/// @param bits the fewest it is computed at, and what it is computed at on its own
/// @param ceiling the most it may be computed at, where that joins it to a batch
/// @param inputs by name; their data stays valid until the job's future is done
/// @param cancellation tells when the caller has gone
public record Job(
    ServedModel model,
    Bits bits,
    Bits ceiling,
    Workload work,
    Map<String, Tensor> inputs,
    Urgency urgency,
    Cancellation cancellation) {}
