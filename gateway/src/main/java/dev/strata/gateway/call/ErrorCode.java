package dev.strata.gateway.call;

/// Why a request got no answer, in the caller's terms. Each protocol turns it into its own status
/// in one exhaustive switch.
public enum ErrorCode {
  /// The request contradicts itself or the model's signature.
  INVALID_REQUEST,
  /// The model does not have the precision asked for.
  PRECISION_UNAVAILABLE,
  /// No model, or no such version of it, is known.
  MODEL_NOT_FOUND,
  /// The model is known, yet cannot answer now: it is loading, or loading failed.
  MODEL_NOT_READY,
  /// Too much work is waiting; later there may be room.
  OVERLOADED,
  /// The time to wait in the queue that the request allowed is over, or would be.
  QUEUE_TIMEOUT,
  /// No answer is possible before the request's deadline.
  DEADLINE_EXCEEDED,
  /// The caller has gone.
  CANCELLED,
  /// The server is on its way out.
  SHUTTING_DOWN,
  /// More bytes than the server takes.
  TOO_LARGE,
  /// Well-formed, and not offered by this server.
  NOT_OFFERED
}
