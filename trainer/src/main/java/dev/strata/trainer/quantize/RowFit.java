package dev.strata.trainer.quantize;

/// The two numbers that fit one output channel at one width to its float weights.
///
/// @param gamma multiplies the steps
/// @param zeta multiplies the offsets
record RowFit(double gamma, double zeta) {

  static final RowFit NONE = new RowFit(1, 1);

  /// A fit outside these bounds says that the row has next to no signal in that regressor.
  private static final double MIN_GAMMA = 0.05;

  private static final double MAX_GAMMA = 3;
  private static final double MAX_ZETA_CHANGE = 1;
  private static final double INDEPENDENT = 1e-6;

  /// Least squares of `w ~ gamma * s + zeta * b` under an inner product `<., .>`: the closed form
  // of
  /// the 2 x 2 normal equations. With dependent or absent offsets zeta stays 1.
  static RowFit leastSquares(double ss, double sb, double bb, double sw, double bw) {
    double determinant = ss * bb - sb * sb;
    if (determinant > INDEPENDENT * ss * bb) {
      RowFit both =
          new RowFit((sw * bb - bw * sb) / determinant, (ss * bw - sb * sw) / determinant);
      if (both.isSound()) {
        return both;
      }
    }
    if (ss > 0) {
      RowFit scaleOnly = new RowFit((sw - sb) / ss, 1);
      if (scaleOnly.isSound()) {
        return scaleOnly;
      }
    }
    return NONE;
  }

  private boolean isSound() {
    return gamma >= MIN_GAMMA && gamma <= MAX_GAMMA && Math.abs(zeta - 1) <= MAX_ZETA_CHANGE;
  }
}
