package dev.strata.plan;

import dev.strata.graph.Shape;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// One call with all its arguments resolved.
///
/// @param what which node it belongs to and what it does
/// @param call calls the kernel; allocates nothing
/// @param observed the float input of the weighted layer that begins with this step
record BoundStep(StepDescription what, Runnable call, Optional<Observed> observed) {

  record Observed(String layer, MemorySegment floats, Shape shape) {}
}
