package dev.strata.precision;

/// Ternary weights -alpha, 0, alpha as 8-bit codes of which two planes count: plane 0 is the mask
/// of the plus ones, plane 1 that of the zeros. With both planes and group codes of 1 the weight of
/// a layered code (docs/precision.md) is exact:
///
/// ```
/// scale * (2U - 192) + offset = alpha / 128 * (128 t - 64) + alpha / 2 = alpha * t
/// ```
public final class TernaryCodes {

  /// How many planes a ternary layer has.
  public static final int PLANES = 2;

  private static final int SHIFT = Bits.MAX - PLANES;

  private TernaryCodes() {}

  /// @param signs each -1, 0 or 1
  /// @return codes for [PlaneCodec#encode]
  public static byte[] encode(byte[] signs) {
    byte[] codes = new byte[signs.length];
    for (int i = 0; i < signs.length; i++) {
      if (signs[i] < -1 || signs[i] > 1) {
        throw new IllegalArgumentException(
            "ternary weight %d: got %d, expected -1, 0 or 1".formatted(i, signs[i]));
      }
      codes[i] = (byte) ((signs[i] + 1) << SHIFT);
    }
    return codes;
  }

  /// @param codes as [#encode] gives them, or as they are joined from the first two planes
  public static byte[] decode(byte[] codes) {
    byte[] signs = new byte[codes.length];
    for (int i = 0; i < codes.length; i++) {
      int prefix = Byte.toUnsignedInt(codes[i]) >> SHIFT;
      if (prefix > 2) {
        throw new IllegalArgumentException(
            "ternary code %d: got %d, expected 0, 1 or 2".formatted(i, prefix));
      }
      signs[i] = (byte) (prefix - 1);
    }
    return signs;
  }

  /// The scale of a row in the table of two planes.
  public static float scale(float alpha) {
    return alpha / 128;
  }

  /// The offset of a row in the table of two planes.
  public static float offset(float alpha) {
    return alpha / 2;
  }

  /// The values of two planes where the layer has a codebook; its scale is then alpha itself.
  public static byte[] codebook() {
    return new byte[] {-1, 0, 1, 0};
  }
}
