package dev.strata.plan;

import dev.strata.graph.Shape;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// One call with all its arguments resolved.
///
/// @param node the graph's node it belongs to
/// @param path which kernel it calls
/// @param call calls it; allocates nothing
/// @param observed the float input of the weighted layer that begins with this step
record BoundStep(String node, String path, Runnable call, Optional<Observed> observed) {

  record Observed(String layer, MemorySegment floats, Shape shape) {}
}
