package dev.strata.precision;

/// Names of the tensors that hold a layer's planes, group table, input scales and scale tables.
public final class PlaneNames {
  private PlaneNames() {}

  /// @param index 0 (most significant) to 7
  public static String plane(String layer, int index) {
    return layer + ".plane." + index;
  }

  public static String groups(String layer) {
    return layer + ".groups";
  }

  /// Scales and zero points of a depthwise layer whose input is quantized channel by channel.
  public static String input(String layer) {
    return layer + ".input";
  }

  /// The scale, offset and bias rows that go with this many planes.
  public static String table(String layer, Bits planes) {
    return layer + ".table." + planes.count();
  }
}
