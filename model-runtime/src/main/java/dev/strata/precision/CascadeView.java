package dev.strata.precision;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.function.Function;

/// One layer at b planes: the first b planes and the scale table of width b. All memory is
/// borrowed from the tensors it was made from.
///
/// The weight of code U (b bits, shifted left to 8) is `scale[c] * ns * (2U - (256 - 2^(8-b))) +
/// offset[c] * nb`, the centre of the code's bin; docs/precision.md derives it.
///
/// @param planes b planes, most significant first
/// @param groups `[panels][groups][2][16]`: scale codes ns (unsigned), offset codes nb (signed)
/// @param scale FP32 `[paddedRows]`
/// @param offset FP32 `[paddedRows]`
/// @param bias FP32 `[paddedRows]`
public record CascadeView(
    BitPlanes planes,
    MemorySegment groups,
    MemorySegment scale,
    MemorySegment offset,
    MemorySegment bias) {

  public CascadeView {
    long tableBytes = rowBytes(planes.layout());
    requireSize("groups", groups, planes.layout().groupTableBytes());
    requireSize("scale", scale, tableBytes);
    requireSize("offset", offset, tableBytes);
    requireSize("bias", bias, tableBytes);
  }

  /// Views a layer at a width.
  ///
  /// @param layer the layer's name
  /// @param planes how many planes to read; the layer must have the table of this width
  /// @param tensors finds a tensor that must exist by its name, such as `TensorSource::get`
  public static CascadeView of(
      String layer, PlaneLayout layout, Bits planes, Function<String, MemorySegment> tensors) {
    MemorySegment table = tensors.apply(PlaneNames.table(layer, planes));
    long rowBytes = rowBytes(layout);
    requireSize(PlaneNames.table(layer, planes), table, 3 * rowBytes);
    return new CascadeView(
        BitPlanes.of(layer, layout, planes, tensors),
        tensors.apply(PlaneNames.groups(layer)),
        table.asSlice(0, rowBytes),
        table.asSlice(rowBytes, rowBytes),
        table.asSlice(2 * rowBytes, rowBytes));
  }

  public PlaneLayout layout() {
    return planes.layout();
  }

  public Bits bits() {
    return planes.bits();
  }

  /// One weight as a float, with one rounding for the scale product and one for the sum. Slow; for
  /// tests and inspection.
  ///
  /// @param row output channel, without padding
  public float weight(int row, int column) {
    int paddedRow = layout().paddedRow(row);
    int group = column / layout().groupSize();
    int panel = paddedRow / PlaneLayout.PANEL_ROWS;
    long at =
        ((long) panel * layout().groups() + group) * 2 * PlaneLayout.PANEL_ROWS
            + paddedRow % PlaneLayout.PANEL_ROWS;
    float scaleCode = Byte.toUnsignedInt(groups.get(JAVA_BYTE, at));
    float offsetCode = groups.get(JAVA_BYTE, at + PlaneLayout.PANEL_ROWS);
    int centre = 256 - (1 << (Bits.MAX - bits().count()));
    float position = 2 * planes.code(row, column) - centre;
    return Math.fma(at(scale, paddedRow) * scaleCode, position, at(offset, paddedRow) * offsetCode);
  }

  public float bias(int row) {
    return at(bias, layout().paddedRow(row));
  }

  private static float at(MemorySegment table, int paddedRow) {
    return table.get(JAVA_FLOAT_UNALIGNED, (long) paddedRow * Float.BYTES);
  }

  private static long rowBytes(PlaneLayout layout) {
    return (long) layout.paddedRows() * Float.BYTES;
  }

  private static void requireSize(String name, MemorySegment segment, long expected) {
    if (segment.byteSize() != expected) {
      throw new IllegalArgumentException(
          "%s: got %d bytes, expected %d".formatted(name, segment.byteSize(), expected));
    }
  }
}
