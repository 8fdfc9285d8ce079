package dev.strata.precision;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TernaryCodesTest {

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void twoPlanesHoldTernaryWeights(long seed) {
    Random random = new Random(seed);
    var layout = new PlaneLayout(1 + random.nextInt(40), 1 + random.nextInt(200), 32, 1);
    byte[] signs = signs(random, layout.rows() * layout.columns());
    List<byte[]> planes = PlaneCodec.encode(TernaryCodes.encode(signs), layout);
    byte[] joined = PlaneCodec.decode(planes.subList(0, TernaryCodes.PLANES), layout);
    assertArrayEquals(signs, TernaryCodes.decode(joined));
    for (byte[] plane : planes.subList(TernaryCodes.PLANES, planes.size())) {
      assertArrayEquals(new byte[plane.length], plane, "nothing is left for further planes");
    }
  }

  @Test
  void thePlanesAreTheMasksOfPlusOnesAndOfZeros() {
    var layout = new PlaneLayout(1, 32, 32, 1);
    byte[] signs = signs(new Random(7), 32);
    List<byte[]> planes = PlaneCodec.encode(TernaryCodes.encode(signs), layout);
    for (int column = 0; column < signs.length; column++) {
      assertEquals(signs[column] == 1, bit(planes.get(0), column), "plus mask");
      assertEquals(signs[column] == 0, bit(planes.get(1), column), "zero mask");
    }
  }

  @Test
  void theCentresOfTheBinsAreTheWeights() {
    float alpha = 0.3f;
    for (int sign = -1; sign <= 1; sign++) {
      int code = Byte.toUnsignedInt(TernaryCodes.encode(new byte[] {(byte) sign})[0]);
      float weight =
          Math.fma(TernaryCodes.scale(alpha), 2 * code - 192, TernaryCodes.offset(alpha));
      assertEquals(alpha * sign, weight);
      assertEquals(sign, TernaryCodes.codebook()[code >> 6]);
    }
  }

  @Test
  void otherWeightsAndCodesAreRejected() {
    var weight =
        assertThrows(IllegalArgumentException.class, () -> TernaryCodes.encode(new byte[] {0, 2}));
    assertEquals("ternary weight 1: got 2, expected -1, 0 or 1", weight.getMessage());
    var code =
        assertThrows(
            IllegalArgumentException.class, () -> TernaryCodes.decode(new byte[] {(byte) 0xc0}));
    assertEquals("ternary code 0: got 3, expected 0, 1 or 2", code.getMessage());
  }

  private static boolean bit(byte[] plane, int column) {
    int bit = PlaneLayout.bitOf(column);
    return (plane[bit / 8] >> (bit % 8) & 1) != 0;
  }

  private static byte[] signs(Random random, int count) {
    byte[] signs = new byte[count];
    for (int i = 0; i < count; i++) {
      signs[i] = (byte) (random.nextInt(3) - 1);
    }
    return signs;
  }
}
