package dev.strata.gateway.health;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;

/// Asks a server whether it is ready, for containers that have neither shell nor curl. Exits with
/// 0 if it is, else with 1 and a line that says why.
public final class ReadinessProbe {

  private static final int PATIENCE_MILLIS = 3000;

  private ReadinessProbe() {}

  /// @param arguments the address to ask, as `http://127.0.0.1:8080/q/health/ready`
  public static void main(String[] arguments) {
    if (arguments.length != 1) {
      System.err.println(
          "readiness probe: got %d arguments, expected a URL".formatted(arguments.length));
      System.exit(1);
    }
    try {
      HttpURLConnection connection =
          (HttpURLConnection) URI.create(arguments[0]).toURL().openConnection();
      connection.setConnectTimeout(PATIENCE_MILLIS);
      connection.setReadTimeout(PATIENCE_MILLIS);
      int status = connection.getResponseCode();
      if (status == HttpURLConnection.HTTP_OK) {
        return;
      }
      System.err.println("%s: got status %d, expected 200".formatted(arguments[0], status));
    } catch (IOException | IllegalArgumentException | ClassCastException failure) {
      System.err.println("%s: %s".formatted(arguments[0], failure.getMessage()));
    }
    System.exit(1);
  }
}
