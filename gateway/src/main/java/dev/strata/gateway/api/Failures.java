package dev.strata.gateway.api;

import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ThreadLocalRandom;
import org.jboss.logging.Logger;

/// What all protocols do with a failure before each gives it a status of its own.
public final class Failures {

  private static final Logger LOG = Logger.getLogger(Failures.class);

  private Failures() {}

  /// The failure itself, out of the wrapping of a future.
  public static Throwable cause(Throwable failure) {
    return failure instanceof CompletionException wrapped
        ? Optional.ofNullable(wrapped.getCause()).orElse(wrapped)
        : failure;
  }

  /// Logs a defect with its stack and returns what the caller may know: where to look.
  public static String defect(Throwable defect) {
    String reference = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
    LOG.errorf(defect, "request failed, reference %s", reference);
    return "internal error; the server's log has it under reference " + reference;
  }
}
