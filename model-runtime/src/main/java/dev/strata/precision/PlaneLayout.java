package dev.strata.precision;

/// How the codes of one weight matrix lie in its bit-planes ("P16"). The one home of the layout
/// rule.
///
/// A layer is `submatrices` weight matrices (more than one only for grouped convolution), each with
/// `rows / submatrices` output channels of `columns` reduction inputs. Each submatrix is padded to
/// whole panels of 16 rows. A plane is a run of panels; a panel is a run of 64-byte lines, one per
/// 32 columns; a line has one little-endian 32-bit word per row; byte `t`, bit `i` of the word is
/// column `4*i + t` of the block of 32.
///
/// Columns are padded to whole quantization groups. Padded columns may hold any code: kernels are
/// given zero activations there. Padded rows may hold any code: their results are not written.
///
/// @param rows output channels over all submatrices, unpadded
/// @param columns reduction length of one row, unpadded
/// @param groupSize columns that share one scale and offset; a multiple of 32; equal to the padded
///     column count when the whole row is one group
/// @param submatrices 1, or the group count of a grouped convolution; divides `rows`
public record PlaneLayout(int rows, int columns, int groupSize, int submatrices) {

  public static final int PANEL_ROWS = 16;
  public static final int BLOCK_COLUMNS = 32;
  public static final int LINE_BYTES = 64;

  public PlaneLayout {
    if (rows < 1 || columns < 1 || submatrices < 1 || rows % submatrices != 0) {
      throw new IllegalArgumentException(
          "plane layout: got rows %d, columns %d, submatrices %d"
              .formatted(rows, columns, submatrices));
    }
    if (groupSize < BLOCK_COLUMNS || groupSize % BLOCK_COLUMNS != 0) {
      throw new IllegalArgumentException(
          "groupSize: got %d, expected a positive multiple of %d"
              .formatted(groupSize, BLOCK_COLUMNS));
    }
    long paddedColumns = (long) Math.ceilDiv(columns, groupSize) * groupSize;
    long paddedRows =
        (long) Math.ceilDiv(rows / submatrices, PANEL_ROWS) * PANEL_ROWS * submatrices;
    if (paddedColumns > Integer.MAX_VALUE || paddedRows > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "plane layout: got %d padded rows and %d padded columns, expected at most %d"
              .formatted(paddedRows, paddedColumns, Integer.MAX_VALUE));
    }
  }

  /// A layout whose whole row is one group: one scale and offset per output channel.
  public static PlaneLayout perChannel(int rows, int columns, int submatrices) {
    return new PlaneLayout(rows, columns, roundUp(columns, BLOCK_COLUMNS), submatrices);
  }

  public int paddedColumns() {
    return roundUp(columns, groupSize);
  }

  public int groups() {
    return paddedColumns() / groupSize;
  }

  public int blocks() {
    return paddedColumns() / BLOCK_COLUMNS;
  }

  public int submatrixRows() {
    return rows / submatrices;
  }

  /// Panels of one submatrix.
  public int submatrixPanels() {
    return roundUp(submatrixRows(), PANEL_ROWS) / PANEL_ROWS;
  }

  public int panels() {
    return submatrixPanels() * submatrices;
  }

  /// Rows over all submatrices, padding included; the length of every per-channel table.
  public int paddedRows() {
    return panels() * PANEL_ROWS;
  }

  /// Index of an output channel in the per-channel tables.
  public int paddedRow(int row) {
    return row / submatrixRows() * submatrixPanels() * PANEL_ROWS + row % submatrixRows();
  }

  public long planeBytes() {
    return (long) panels() * blocks() * LINE_BYTES;
  }

  /// Bytes of the group table: `[panels][groups][2][16]`, 16 scale codes (unsigned) and then 16
  /// offset codes (signed) for each group of each panel.
  public long groupTableBytes() {
    return (long) panels() * groups() * 2 * PANEL_ROWS;
  }

  /// Byte offset in a plane of the word that holds (paddedRow, column).
  public long wordOffset(int paddedRow, int column) {
    long line = (long) (paddedRow / PANEL_ROWS) * blocks() + column / BLOCK_COLUMNS;
    return line * LINE_BYTES + (long) (paddedRow % PANEL_ROWS) * Integer.BYTES;
  }

  /// Bit of a column in its 32-bit word.
  public static int bitOf(int column) {
    int within = column % BLOCK_COLUMNS;
    return within % 4 * 8 + within / 4;
  }

  public static int roundUp(int value, int multiple) {
    return Math.ceilDiv(value, multiple) * multiple;
  }
}
