package dev.strata.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.strata.kernel.Structs;
import dev.strata.precision.PlaneLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Copies of one random weight matrix of 8 planes: `w = SCALE * (2 * code - centre)`, the
/// same scale everywhere, so that peers with a scale for the whole matrix can have it too.
final class PlaneWeights {
  static final float SCALE = 1 / 4096f;

  private final PlaneLayout layout;
  private final List<List<MemorySegment>> copies = new ArrayList<>();
  private final MemorySegment groups;
  private final MemorySegment scale;
  private final MemorySegment offset;
  private final MemorySegment bias;

  PlaneWeights(Arena arena, PlaneLayout layout, int copyCount, Random random) {
    this.layout = layout;
    byte[] bytes = new byte[Math.toIntExact(layout.planeBytes())];
    for (int copy = 0; copy < copyCount; copy++) {
      copies.add(new ArrayList<>());
    }
    for (int plane = 0; plane < 8; plane++) {
      random.nextBytes(bytes);
      for (List<MemorySegment> copy : copies) {
        copy.add(arena.allocate(bytes.length, 64).copyFrom(MemorySegment.ofArray(bytes)));
      }
    }
    groups = arena.allocate(layout.groupTableBytes(), 64);
    for (long panelGroup = 0; panelGroup < groups.byteSize(); panelGroup += 32) {
      groups.asSlice(panelGroup, 16).fill((byte) 1);
    }
    scale = Memory.floats(arena, layout.paddedRows(), _ -> SCALE);
    offset = Memory.floats(arena, layout.paddedRows(), _ -> 0);
    bias = Memory.floats(arena, layout.paddedRows(), row -> row % 7 / 16f - 0.1f);
  }

  PlaneLayout layout() {
    return layout;
  }

  int copyCount() {
    return copies.size();
  }

  MemorySegment bias() {
    return bias;
  }

  float bias(int row) {
    return Memory.at(bias, row);
  }

  /// `struct strata_weights` of the first planes of a copy.
  MemorySegment struct(Arena arena, int copy, int bits) {
    MemorySegment struct = arena.allocate(Structs.weightsBytes(), 64);
    Structs.weights(
        struct,
        0,
        copies.get(copy).subList(0, bits),
        layout.rows(),
        layout.paddedColumns(),
        layout.groupSize(),
        groups,
        scale,
        offset);
    return struct;
  }

  /// The code of a weight at 8 bits.
  int code(int row, int column) {
    long word = layout.wordOffset(row, column);
    int bit = PlaneLayout.bitOf(column);
    int code = 0;
    for (MemorySegment plane : copies.getFirst()) {
      code = 2 * code + (plane.get(JAVA_BYTE, word + bit / 8) >> (bit % 8) & 1);
    }
    return code;
  }

  /// Twice the distance of a weight of `bits` planes from the middle of the codes.
  int centred(int row, int column, int bits) {
    int low = 8 - bits;
    return 2 * (code(row, column) >> low << low) - (256 - (1 << low));
  }

  /// Bytes of a copy that a call at so many bits reads.
  long bytes(int bits) {
    return bits * layout.planeBytes() + groups.byteSize() + 3L * layout.paddedRows() * Float.BYTES;
  }
}
