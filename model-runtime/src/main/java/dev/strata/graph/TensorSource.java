package dev.strata.graph;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// Where a graph's constants and weights are: the mapped artifact, or memory while importing.
public interface TensorSource {
  /// @return the tensor's bytes, native, 64-byte aligned, read-only, borrowed from the source
  Optional<MemorySegment> find(String name);

  default MemorySegment get(String name) {
    return find(name)
        .orElseThrow(() -> new IllegalArgumentException("there is no tensor '" + name + "'"));
  }
}
