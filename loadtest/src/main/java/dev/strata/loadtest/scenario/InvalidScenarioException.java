package dev.strata.loadtest.scenario;

/// A scenario that cannot be run; the message names the field, what was got and what was expected.
public final class InvalidScenarioException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public InvalidScenarioException(String message) {
    super(message);
  }
}
