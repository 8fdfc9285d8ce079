package dev.strata.processing;

/// The client's input cannot be turned into graph inputs. The message names the input, the element,
/// what was got and what was expected, and is safe to show to the caller.
public final class RejectedInputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public RejectedInputException(String message) {
    super(message);
  }

  static RejectedInputException element(String input, int index, String got) {
    return new RejectedInputException("input '%s'[%d]: %s".formatted(input, index, got));
  }
}
