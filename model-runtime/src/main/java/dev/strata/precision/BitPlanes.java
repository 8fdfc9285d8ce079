package dev.strata.precision;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/// The plane streams of one layer, borrowed from whoever holds the tensors.
///
/// @param layout how codes lie in a plane
/// @param planes 1 to 8 planes, most significant first, each `planeBytes` long
public record BitPlanes(PlaneLayout layout, List<MemorySegment> planes) {

  public BitPlanes {
    planes = List.copyOf(planes);
    new Bits(planes.size());
    for (MemorySegment plane : planes) {
      if (plane.byteSize() != layout.planeBytes()) {
        throw new IllegalArgumentException(
            "plane: got %d bytes, expected %d".formatted(plane.byteSize(), layout.planeBytes()));
      }
    }
  }

  /// The first planes of a layer.
  ///
  /// @param tensors finds a tensor that must exist by its name
  public static BitPlanes of(
      String layer, PlaneLayout layout, Bits bits, Function<String, MemorySegment> tensors) {
    return new BitPlanes(
        layout,
        IntStream.range(0, bits.count())
            .mapToObj(index -> tensors.apply(PlaneNames.plane(layer, index)))
            .toList());
  }

  public Bits bits() {
    return new Bits(planes.size());
  }

  /// The most significant planes only: the layer at a lower width.
  public BitPlanes first(Bits bits) {
    return new BitPlanes(layout, planes.subList(0, bits.count()));
  }

  /// The prefix code of one weight, shifted left to 8 bits. Slow; for tests and inspection.
  ///
  /// @param row output channel, without padding
  public int code(int row, int column) {
    int bit = PlaneLayout.bitOf(column);
    long at = layout.wordOffset(layout.paddedRow(row), column) + bit / 8;
    int code = 0;
    for (int plane = 0; plane < planes.size(); plane++) {
      int value = planes.get(plane).get(JAVA_BYTE, at) >>> (bit % 8) & 1;
      code |= value << (Bits.MAX - 1 - plane);
    }
    return code;
  }
}
