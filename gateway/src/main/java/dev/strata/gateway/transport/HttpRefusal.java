package dev.strata.gateway.transport;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/// An answer to a request of which the body has not been read, in the form the protocol gives
/// errors.
final class HttpRefusal {

  private static final long LINGER_MILLIS = 2_000;

  private HttpRefusal() {}

  static void send(RoutingContext exchange, int status, String reason) {
    HttpServerRequest request = exchange.request();
    HttpServerResponse response =
        exchange
            .response()
            .setStatusCode(status)
            .putHeader(HttpHeaders.CONTENT_TYPE, "application/json");
    // What is left of a body would be read as the next request.
    boolean close = alone(request) && !request.isEnded();
    if (close) {
      response.putHeader(HttpHeaders.CONNECTION, "close");
    }
    response
        .end(new JsonObject().put("error", reason).encode())
        .onComplete(
            _ -> {
              if (close) {
                hangUp(exchange.vertx(), request);
              }
            });
  }

  /// Closes the connection once the body is through, or after a while. Closed with bytes unread, it
  /// would be reset, and a reset may overtake the refusal on its way to the client.
  private static void hangUp(Vertx vertx, HttpServerRequest request) {
    HttpConnection connection = request.connection();
    if (request.isEnded()) {
      connection.close();
      return;
    }
    long linger = vertx.setTimer(LINGER_MILLIS, _ -> connection.close());
    connection.closeHandler(_ -> vertx.cancelTimer(linger));
    request.exceptionHandler(_ -> {}).handler(_ -> {}).endHandler(_ -> connection.close()).resume();
  }

  /// Whether the request has the connection to itself.
  static boolean alone(HttpServerRequest request) {
    return request.version() != HttpVersion.HTTP_2;
  }
}
