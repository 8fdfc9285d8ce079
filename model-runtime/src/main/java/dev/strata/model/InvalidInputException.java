package dev.strata.model;

/// The caller's input does not fit the model. The message names the field, what was got and what
/// was expected; it is safe to show to the caller.
public final class InvalidInputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public InvalidInputException(String message) {
    super(message);
  }
}
