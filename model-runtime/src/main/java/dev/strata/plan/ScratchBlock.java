package dev.strata.plan;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Memory for activations and scratch of whatever one thread runs, and the plans that are bound to
/// it. It is as large as the largest need so far; when it grows it moves, what it held is lost, and
/// the plans are forgotten. For one thread at a time.
public final class ScratchBlock implements AutoCloseable {

  /// It grows by at least this factor, so that it seldom does.
  private static final double GROWTH = 1.25;

  private Arena arena = Arena.ofShared();
  private MemorySegment memory = MemorySegment.NULL;
  private final Bindings bindings = new Bindings();

  /// @return the whole block, of at least so many bytes
  MemorySegment atLeast(long bytes) {
    if (bytes > memory.byteSize()) {
      long grown = Math.max(bytes, (long) (memory.byteSize() * GROWTH));
      bindings.forgetAll();
      memory = MemorySegment.NULL;
      arena.close();
      arena = Arena.ofShared();
      memory = arena.allocate(grown, MemoryPlan.ALIGNMENT);
    }
    return memory;
  }

  Bindings bindings() {
    return bindings;
  }

  @Override
  public void close() {
    bindings.forgetAll();
    arena.close();
  }
}
