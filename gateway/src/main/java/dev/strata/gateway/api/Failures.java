package dev.strata.gateway.api;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import io.vertx.core.http.HttpClosedException;
import io.vertx.core.http.StreamResetException;
import java.nio.channels.ClosedChannelException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ThreadLocalRandom;
import org.jboss.logging.Logger;

/// What all protocols do with a failure before each gives it a status of its own.
public final class Failures {

  private static final Logger LOG = Logger.getLogger(Failures.class);

  private Failures() {}

  /// The failure itself, out of the wrapping of a future. A connection or stream that broke is the
  /// caller's leaving, and no defect.
  public static Throwable cause(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException wrapped
            ? Optional.ofNullable(wrapped.getCause()).orElse(wrapped)
            : failure;
    return switch (cause) {
      case StreamResetException _, HttpClosedException _, ClosedChannelException _ ->
          new InferenceException(ErrorCode.CANCELLED, "the caller has gone");
      default -> cause;
    };
  }

  /// Logs a defect with its stack and returns what the caller may know: where to look.
  public static String defect(Throwable defect) {
    String reference = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
    LOG.errorf(defect, "request failed, reference %s", reference);
    return "internal error; the server's log has it under reference " + reference;
  }
}
