package dev.strata.plan;

import dev.strata.graph.Shape;
import java.lang.foreign.MemorySegment;

/// Sees the float input of each weighted layer just before the layer runs.
public interface ActivationObserver {
  /// @param layer name of the weighted layer
  /// @param floats FP32, native, read-only; valid during the call only
  /// @param shape `[..., columns]` for linear layers, NHWC for convolutions
  void observe(String layer, MemorySegment floats, Shape shape);
}
