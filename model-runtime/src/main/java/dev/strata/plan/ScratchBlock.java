package dev.strata.plan;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Memory for activations and scratch of whatever one thread runs. It is as large as the largest
/// need so far; when it grows it moves, and what it held is lost. For one thread at a time.
public final class ScratchBlock implements AutoCloseable {

  /// It grows by at least this factor, so that it seldom does.
  private static final double GROWTH = 1.25;

  private Arena arena = Arena.ofShared();
  private MemorySegment memory = MemorySegment.NULL;
  private int place;

  /// @return the whole block, of at least so many bytes
  MemorySegment atLeast(long bytes) {
    if (bytes > memory.byteSize()) {
      long grown = Math.max(bytes, (long) (memory.byteSize() * GROWTH));
      place++;
      memory = MemorySegment.NULL;
      arena.close();
      arena = Arena.ofShared();
      memory = arena.allocate(grown, MemoryPlan.ALIGNMENT);
    }
    return memory;
  }

  /// Changes whenever the block moves.
  int place() {
    return place;
  }

  @Override
  public void close() {
    arena.close();
  }
}
