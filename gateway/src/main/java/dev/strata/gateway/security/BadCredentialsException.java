package dev.strata.gateway.security;

/// Credentials that were given and are not good. The message says no more than the caller may know.
final class BadCredentialsException extends Exception {
  private static final long serialVersionUID = 1L;

  BadCredentialsException(String message) {
    super(message);
  }
}
