package dev.strata.graph;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Tensors in native memory of its own, while a model is imported, trained or tested. Filled by one
/// thread; may then be read by many until it is closed.
public final class MemoryTensors implements TensorSource, AutoCloseable {
  private static final long ALIGNMENT = 64;

  private final Arena arena = Arena.ofShared();
  private final Map<String, MemorySegment> tensors = new LinkedHashMap<>();

  /// Copies a tensor in; an earlier one of the same name is no longer found.
  public void put(String name, MemorySegment values) {
    MemorySegment copy = arena.allocate(values.byteSize(), ALIGNMENT);
    tensors.put(name, copy.copyFrom(values).asReadOnly());
  }

  public void put(String name, byte[] values) {
    put(name, MemorySegment.ofArray(values));
  }

  public void put(String name, float[] values) {
    MemorySegment copy = arena.allocate((long) values.length * Float.BYTES, ALIGNMENT);
    MemorySegment.copy(values, 0, copy, ValueLayout.JAVA_FLOAT, 0, values.length);
    tensors.put(name, copy.asReadOnly());
  }

  public void put(String name, long[] values) {
    MemorySegment copy = arena.allocate((long) values.length * Long.BYTES, ALIGNMENT);
    MemorySegment.copy(values, 0, copy, ValueLayout.JAVA_LONG, 0, values.length);
    tensors.put(name, copy.asReadOnly());
  }

  /// @return names in the order they were first put; a live, unmodifiable view
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  @Override
  public Optional<MemorySegment> find(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  @Override
  public void close() {
    arena.close();
  }
}
