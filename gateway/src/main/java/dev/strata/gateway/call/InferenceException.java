package dev.strata.gateway.call;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/// A request that is refused with a reason the caller may read: the caller's fault, or no room. It
/// has no stack, which would take longer to write down than the refusal: under overload these are
/// most of what a server says.
public final class InferenceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;

  private final Duration retryAfter;

  public InferenceException(ErrorCode code, String message) {
    this(code, message, Duration.ZERO);
  }

  private InferenceException(ErrorCode code, String message, Duration retryAfter) {
    super(Objects.requireNonNull(message), null, false, false);
    this.code = Objects.requireNonNull(code);
    this.retryAfter = Objects.requireNonNull(retryAfter);
  }

  /// @param retryAfter when there will be room again, as far as can be told
  public static InferenceException busy(ErrorCode code, String message, Duration retryAfter) {
    return new InferenceException(code, message, retryAfter);
  }

  public static InferenceException invalid(String message) {
    return new InferenceException(ErrorCode.INVALID_REQUEST, message);
  }

  public ErrorCode code() {
    return code;
  }

  /// @return when to try again; empty if the server has no idea
  public Optional<Duration> retryAfter() {
    return retryAfter.isZero() ? Optional.empty() : Optional.of(retryAfter);
  }
}
