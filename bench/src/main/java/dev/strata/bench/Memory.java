package dev.strata.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Arrays outside of the heap.
final class Memory {

  /// Gives the value at an index.
  interface Values {
    float at(int index);
  }

  private Memory() {}

  static MemorySegment floats(Arena arena, long count, Values values) {
    MemorySegment memory = arena.allocate(count * Float.BYTES, 64);
    for (int i = 0; i < count; i++) {
      memory.setAtIndex(JAVA_FLOAT, i, values.at(i));
    }
    return memory;
  }

  static float at(MemorySegment floats, long index) {
    return floats.getAtIndex(JAVA_FLOAT, index);
  }
}
