package dev.strata.trainer.cli;

/// What a command's exit status means.
public final class ExitCode {
  public static final int OK = 0;
  public static final int FAILED = 1;
  static final int USAGE = 2;
  static final int BAD_INPUT = 3;

  private ExitCode() {}
}
