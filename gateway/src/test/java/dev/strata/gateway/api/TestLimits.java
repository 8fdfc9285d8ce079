package dev.strata.gateway.api;

/// The limits as they are by default.
public final class TestLimits {

  public static final Limits DEFAULT =
      new Limits(64 << 20, 100, 64, 16, 16 << 20, 256, 64, 4096, 32, 64);

  private TestLimits() {}
}
