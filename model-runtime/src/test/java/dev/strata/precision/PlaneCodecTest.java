package dev.strata.precision;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/// Codes and planes say the same, at every width.
final class PlaneCodecTest {

  @Test
  void decodingGivesBackWhatWasEncoded() {
    forRandomCodes(
        200,
        (layout, codes) ->
            assertArrayEquals(codes, PlaneCodec.decode(PlaneCodec.encode(codes, layout), layout)));
  }

  @Test
  void theFirstPlanesOfAnEightBitCodeAreTheNarrowCode() {
    forRandomCodes(
        50,
        (layout, codes) -> {
          for (Bits bits : Bits.all()) {
            theFirstPlanesAreTheNarrowCode(layout, codes, bits.count());
          }
        });
  }

  private static void theFirstPlanesAreTheNarrowCode(PlaneLayout layout, byte[] codes, int bits) {
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

  @Test
  void everyBitLiesWhereTheLayoutSays() {
    forRandomCodes(100, PlaneCodecTest::everyBitLiesWhereTheLayoutSays);
  }

  private static void everyBitLiesWhereTheLayoutSays(PlaneLayout layout, byte[] codes) {
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

  /// Runs a property on random layouts and codes; a failure names the seed that makes it again.
  private static void forRandomCodes(int tries, BiConsumer<PlaneLayout, byte[]> property) {
    long first = new Random().nextLong();
    for (long seed = first; seed < first + tries; seed++) {
      Random random = new Random(seed);
      int submatrices = random.nextInt(1, 4);
      PlaneLayout layout =
          new PlaneLayout(
              random.nextInt(1, 41) * submatrices,
              random.nextInt(1, 151),
              32 * random.nextInt(1, 4),
              submatrices);
      byte[] codes = new byte[layout.rows() * layout.columns()];
      random.nextBytes(codes);
      try {
        property.accept(layout, codes);
      } catch (AssertionError failure) {
        throw new AssertionError("seed %d, %s".formatted(seed, layout), failure);
      }
    }
  }
}
