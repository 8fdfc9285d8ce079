package dev.strata.precision;

/// Names of the tensors that hold a layer's planes, group table and scale tables.
public final class PlaneNames {
  private PlaneNames() {}

  /// @param index 0 (most significant) to 7
  public static String plane(String layer, int index) {
    return layer + ".plane." + index;
  }

  public static String groups(String layer) {
    return layer + ".groups";
  }

  /// The scale, offset and bias rows that go with this many planes.
  public static String table(String layer, Bits planes) {
    return layer + ".table." + planes.count();
  }
}
