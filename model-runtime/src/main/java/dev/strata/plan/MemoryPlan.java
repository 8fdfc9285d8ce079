package dev.strata.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;

/// Places of all slots in one block: slots that live at the same step do not overlap, others may
/// share bytes. The largest slots are placed first, each at the lowest offset that is free for its
/// whole life.
final class MemoryPlan {
  /// Kernel rows start at whole cache lines.
  static final long ALIGNMENT = 64;

  /// Whether slots whose lives do not meet share bytes. NEVER is for tests: results must be equal.
  enum Reuse {
    BY_LIVENESS,
    NEVER
  }

  private final IdentityHashMap<Region.Slot, Long> offsets = new IdentityHashMap<>();
  private long bytes;

  private MemoryPlan() {}

  static MemoryPlan of(List<Region.Slot> slots, Reuse reuse) {
    MemoryPlan plan = new MemoryPlan();
    List<Region.Slot> placed = new ArrayList<>();
    List<Region.Slot> largestFirst =
        slots.stream().sorted(Comparator.comparingLong(Region.Slot::bytes).reversed()).toList();
    for (Region.Slot slot : largestFirst) {
      long offset = reuse == Reuse.NEVER ? plan.bytes : plan.lowestFree(slot, placed);
      plan.offsets.put(slot, offset);
      plan.bytes = Math.max(plan.bytes, align(offset + slot.bytes()));
      placed.add(slot);
    }
    return plan;
  }

  private long lowestFree(Region.Slot slot, List<Region.Slot> placed) {
    List<Region.Slot> neighbours =
        placed.stream().filter(slot::meets).sorted(Comparator.comparingLong(offsets::get)).toList();
    long offset = 0;
    for (Region.Slot neighbour : neighbours) {
      if (offset + slot.bytes() <= offsets.get(neighbour)) {
        break;
      }
      offset = Math.max(offset, align(offsets.get(neighbour) + neighbour.bytes()));
    }
    return offset;
  }

  static long align(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }

  long offset(Region.Slot slot) {
    return offsets.get(slot);
  }

  /// @return bytes of the block
  long bytes() {
    return bytes;
  }
}
