package dev.strata.precision;

import java.util.ArrayList;
import java.util.List;

/// Codes to bit-planes and back, in the layout of [PlaneLayout].
///
/// Eight codes whose columns differ by four are an 8 x 8 bit matrix; its transpose holds one byte
/// of each plane. So both directions cost one transpose for eight codes.
public final class PlaneCodec {
  private static final int STRIDE = 4;
  private static final int LANES = 8;

  private PlaneCodec() {}

  /// Splits codes into planes.
  ///
  /// @param codes `[rows][columns]` unsigned 8-bit, unpadded
  /// @return 8 planes, most significant first, each `planeBytes` long; padding is zero
  public static List<byte[]> encode(byte[] codes, PlaneLayout layout) {
    requireLength("codes", codes.length, (long) layout.rows() * layout.columns());
    List<byte[]> planes = new ArrayList<>(Bits.MAX);
    for (int plane = 0; plane < Bits.MAX; plane++) {
      planes.add(new byte[Math.toIntExact(layout.planeBytes())]);
    }
    for (int row = 0; row < layout.rows(); row++) {
      int paddedRow = layout.paddedRow(row);
      int rowStart = row * layout.columns();
      for (int column = 0; column < layout.columns(); column += PlaneLayout.BLOCK_COLUMNS) {
        int word = (int) layout.wordOffset(paddedRow, column);
        int blockEnd = Math.min(column + PlaneLayout.BLOCK_COLUMNS, layout.columns());
        for (int lane = 0; lane < STRIDE; lane++) {
          long bits = transpose(gather(codes, rowStart, column + lane, blockEnd));
          for (int plane = 0; plane < Bits.MAX; plane++) {
            planes.get(plane)[word + lane] = (byte) (bits >>> (8 * (Bits.MAX - 1 - plane)));
          }
        }
      }
    }
    return List.copyOf(planes);
  }

  /// Joins planes to codes. Planes that are missing at the end count as zeros, so b planes give the
  /// prefix code shifted left to 8 bits.
  ///
  /// @param planes 1 to 8 planes, most significant first
  /// @return `[rows][columns]` unsigned 8-bit
  public static byte[] decode(List<byte[]> planes, PlaneLayout layout) {
    new Bits(planes.size());
    for (byte[] plane : planes) {
      requireLength("plane", plane.length, layout.planeBytes());
    }
    byte[] codes = new byte[Math.multiplyExact(layout.rows(), layout.columns())];
    for (int row = 0; row < layout.rows(); row++) {
      int paddedRow = layout.paddedRow(row);
      int rowStart = row * layout.columns();
      for (int column = 0; column < layout.columns(); column += PlaneLayout.BLOCK_COLUMNS) {
        int word = (int) layout.wordOffset(paddedRow, column);
        int blockEnd = Math.min(column + PlaneLayout.BLOCK_COLUMNS, layout.columns());
        for (int lane = 0; lane < STRIDE; lane++) {
          long bits = 0;
          for (int plane = 0; plane < planes.size(); plane++) {
            long octet = Byte.toUnsignedLong(planes.get(plane)[word + lane]);
            bits |= octet << (8 * (Bits.MAX - 1 - plane));
          }
          scatter(transpose(bits), codes, rowStart, column + lane, blockEnd);
        }
      }
    }
    return codes;
  }

  /// Byte i of the result is the code of column `first + 4 i`.
  private static long gather(byte[] codes, int rowStart, int first, int end) {
    long bits = 0;
    for (int lane = 0, column = first; lane < LANES && column < end; lane++, column += STRIDE) {
      bits |= Byte.toUnsignedLong(codes[rowStart + column]) << (8 * lane);
    }
    return bits;
  }

  private static void scatter(long bits, byte[] codes, int rowStart, int first, int end) {
    for (int lane = 0, column = first; lane < LANES && column < end; lane++, column += STRIDE) {
      codes[rowStart + column] = (byte) (bits >>> (8 * lane));
    }
  }

  /// Bit j of byte i becomes bit i of byte j: swap within 2 x 2, then 4 x 4, then 8 x 8 squares.
  static long transpose(long matrix) {
    long swapped = (matrix ^ (matrix >>> 7)) & 0x00AA00AA00AA00AAL;
    matrix ^= swapped ^ (swapped << 7);
    swapped = (matrix ^ (matrix >>> 14)) & 0x0000CCCC0000CCCCL;
    matrix ^= swapped ^ (swapped << 14);
    swapped = (matrix ^ (matrix >>> 28)) & 0x00000000F0F0F0F0L;
    return matrix ^ swapped ^ (swapped << 28);
  }

  private static void requireLength(String what, long found, long expected) {
    if (found != expected) {
      throw new IllegalArgumentException(
          "%s: got %d bytes, expected %d".formatted(what, found, expected));
    }
  }
}
