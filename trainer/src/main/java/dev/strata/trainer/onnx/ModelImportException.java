package dev.strata.trainer.onnx;

/// The file is not a network that can be imported; the message says what and where, for a user.
public final class ModelImportException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public ModelImportException(String message) {
    super(message);
  }

  public ModelImportException(String message, Throwable cause) {
    super(message, cause);
  }
}
