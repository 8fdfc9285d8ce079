package dev.strata.precision;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/// Codes and planes say the same, at every width.
final class PlaneCodecTest {

  @Property(tries = 200)
  void decodingGivesBackWhatWasEncoded(@ForAll("layouts") PlaneLayout layout, @ForAll long seed) {
    byte[] codes = randomCodes(layout, seed);
    assertArrayEquals(codes, PlaneCodec.decode(PlaneCodec.encode(codes, layout), layout));
  }

  @Property(tries = 200)
  void theFirstPlanesOfAnEightBitCodeAreTheNarrowCode(
      @ForAll("layouts") PlaneLayout layout,
      @ForAll long seed,
      @ForAll @IntRange(min = 1, max = 8) int bits) {
    byte[] codes = randomCodes(layout, seed);
    byte[] truncated = codes.clone();
    for (int i = 0; i < truncated.length; i++) {
      truncated[i] = (byte) (codes[i] >>> (8 - bits) << (8 - bits));
    }
    List<byte[]> planes = PlaneCodec.encode(codes, layout);
    assertArrayEquals(truncated, PlaneCodec.decode(planes.subList(0, bits), layout));
    List<byte[]> narrow = PlaneCodec.encode(truncated, layout);
    for (int plane = 0; plane < bits; plane++) {
      assertArrayEquals(planes.get(plane), narrow.get(plane));
    }
  }

  @Property(tries = 100)
  void everyBitLiesWhereTheLayoutSays(@ForAll("layouts") PlaneLayout layout, @ForAll long seed) {
    byte[] codes = randomCodes(layout, seed);
    List<MemorySegment> planes =
        PlaneCodec.encode(codes, layout).stream().map(MemorySegment::ofArray).toList();
    BitPlanes view = new BitPlanes(layout, planes);
    for (int row = 0; row < layout.rows(); row++) {
      for (int column = 0; column < layout.columns(); column++) {
        int code = Byte.toUnsignedInt(codes[row * layout.columns() + column]);
        assertEquals(code, view.code(row, column));
        assertEquals(code & 0xe0, view.first(new Bits(3)).code(row, column));
      }
    }
  }

  @Provide
  Arbitrary<PlaneLayout> layouts() {
    return Combinators.combine(
            Arbitraries.integers().between(1, 40),
            Arbitraries.integers().between(1, 150),
            Arbitraries.of(32, 64, 96),
            Arbitraries.integers().between(1, 3))
        .as(
            (rows, columns, group, submatrices) ->
                new PlaneLayout(rows * submatrices, columns, group, submatrices));
  }

  private static byte[] randomCodes(PlaneLayout layout, long seed) {
    byte[] codes = new byte[layout.rows() * layout.columns()];
    new Random(seed).nextBytes(codes);
    return codes;
  }
}
