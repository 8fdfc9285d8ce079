package dev.strata.gateway.registry;

/// A `model.yaml` that cannot be used. The message names file, key, what was got and what was
/// expected.
final class InvalidSettingsException extends Exception {
  private static final long serialVersionUID = 1L;

  InvalidSettingsException(String message) {
    super(message);
  }
}
