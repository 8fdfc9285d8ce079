package dev.strata.gateway.call;

import java.util.Objects;

/// A request that is refused with a reason the caller may read: the caller's fault, or no room.
public final class InferenceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;

  public InferenceException(ErrorCode code, String message) {
    super(Objects.requireNonNull(message));
    this.code = Objects.requireNonNull(code);
  }

  public static InferenceException invalid(String message) {
    return new InferenceException(ErrorCode.INVALID_REQUEST, message);
  }

  public ErrorCode code() {
    return code;
  }
}
