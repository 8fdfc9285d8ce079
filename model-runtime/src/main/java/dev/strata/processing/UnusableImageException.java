package dev.strata.processing;

import java.io.IOException;

/// Bytes that are not an image we take; the message says what was got and what was expected.
public final class UnusableImageException extends IOException {
  private static final long serialVersionUID = 1L;

  UnusableImageException(String message) {
    super(message);
  }
}
