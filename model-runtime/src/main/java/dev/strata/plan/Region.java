package dev.strata.plan;

import java.lang.foreign.MemorySegment;

/// Where the bytes of a value are while a plan runs.
sealed interface Region {

  /// Memory that is there before the plan runs: weights, constants, tables. Held by address: who
  /// holds the plan keeps its model open, and calls pay for no liveness check.
  record Fixed(MemorySegment memory) implements Region {
    @SuppressWarnings("restricted")
    public Fixed {
      memory = MemorySegment.ofAddress(memory.address()).reinterpret(memory.byteSize());
    }
  }

  /// A part of the context's scratch block, from its first to its last step. The memory plan gives
  /// it its place.
  final class Slot implements Region {
    /// Before the first step: the graph's inputs.
    static final int START = -1;

    /// After the last step: the graph's outputs.
    static final int END = Integer.MAX_VALUE;

    private final long bytes;
    private int first = END;
    private int last = START;

    Slot(long bytes) {
      this.bytes = bytes;
    }

    void liveAt(int step) {
      first = Math.min(first, step);
      last = Math.max(last, step);
    }

    /// Whether only one step touches it.
    boolean isScratch() {
      return first == last;
    }

    boolean meets(Slot other) {
      return first <= other.last && other.first <= last;
    }

    long bytes() {
      return bytes;
    }
  }
}
