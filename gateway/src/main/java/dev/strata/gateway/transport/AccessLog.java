package dev.strata.gateway.transport;

import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/// One line per request, for those who want it.
record AccessLog(boolean enabled) {

  private static final Logger LOG = Logger.getLogger("strata.access");

  /// @param asked method and path, which the servers have already bounded
  /// @param startNanos [System#nanoTime] at the request's arrival
  void write(String protocol, String asked, String status, long startNanos) {
    if (enabled) {
      LOG.infof(
          "%s %s %s %d us",
          protocol,
          printable(asked),
          status,
          TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - startNanos));
    }
  }

  /// A client's text in a log line must not look like another line.
  private static String printable(String text) {
    return text.replaceAll("[^\\x20-\\x7e]", "?");
  }
}
