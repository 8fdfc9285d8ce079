package dev.strata.trainer.training;

/// A run file or its data cannot be used; the message names the key, what was got and expected.
public final class InvalidRunException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public InvalidRunException(String message) {
    super(message);
  }
}
