package dev.strata.trainer.cli;

/// What a command's exit status means.
final class ExitCode {
  static final int OK = 0;
  static final int FAILED = 1;
  static final int USAGE = 2;
  static final int BAD_INPUT = 3;

  private ExitCode() {}
}
