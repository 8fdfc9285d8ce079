package dev.strata.trainer.quantize;

import dev.strata.precision.PlaneLayout;

/// A weight matrix as 8-bit codes on its parent grid. At `bits` planes weight (c, j) is `gamma *
// S_g
/// * m + zeta * b_g`, with m the middle of the code's bin and gamma, zeta of row and width.
///
/// @param codes `[rows][columns]`, unsigned
record LayeredMatrix(GroupGrid grid, byte[] codes) {

  PlaneLayout layout() {
    return grid.layout();
  }

  /// `S_g * m` of one row: what gamma multiplies.
  void steps(int row, int bits, float[] into, int at) {
    PlaneLayout layout = layout();
    int first = row * layout.columns();
    for (int column = 0; column < layout.columns(); column++) {
      into[at + column] =
          grid.step(row, column / layout.groupSize())
              * GroupGrid.middleOfBin(codes[first + column], bits);
    }
  }

  /// `b_g` of one row: what zeta multiplies.
  void offsets(int row, float[] into, int at) {
    PlaneLayout layout = layout();
    for (int column = 0; column < layout.columns(); column++) {
      into[at + column] = grid.offset(row, column / layout.groupSize());
    }
  }

  /// The weights of one row at a width.
  void decode(int row, int bits, RowFit fit, float[] into) {
    PlaneLayout layout = layout();
    int first = row * layout.columns();
    for (int column = 0; column < layout.columns(); column++) {
      int group = column / layout.groupSize();
      into[column] =
          (float)
              (fit.gamma()
                      * grid.step(row, group)
                      * GroupGrid.middleOfBin(codes[first + column], bits)
                  + fit.zeta() * grid.offset(row, group));
    }
  }
}
