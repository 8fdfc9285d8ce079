package dev.strata.gateway.api.oip;

import dev.strata.gateway.GatewayConfig;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

/// Holds every body against the limit, and answers as the protocol answers errors: one that
/// announces its length before any of it is read, one that does not as soon as it is too long. On
/// HTTP/2 the framework cuts off the latter, at the same limit and without words.
@Singleton
final class BodyLimit {

  private static final long LINGER_MILLIS = 2_000;

  private final Vertx vertx;
  private final int maxBytes;
  private final BodyHandler counting;

  BodyLimit(Vertx vertx, GatewayConfig config) {
    this.vertx = vertx;
    this.maxBytes = config.limits().messageBytes();
    this.counting = BodyHandler.create(false).setBodyLimit(maxBytes);
  }

  void install(@Observes Router router) {
    router
        .route()
        .order(Integer.MIN_VALUE)
        .handler(this::check)
        .failureHandler(
            exchange -> {
              if (exchange.statusCode() == 413) {
                refuse(exchange, "more");
              } else {
                exchange.next();
              }
            });
  }

  private void check(RoutingContext exchange) {
    String length = exchange.request().getHeader(HttpHeaders.CONTENT_LENGTH);
    if (length == null && alone(exchange)) {
      counting.handle(exchange);
    } else if (length == null || !length.matches("[0-9]+") || fits(length)) {
      exchange.next();
    } else {
      refuse(exchange, length + " bytes");
    }
  }

  /// Whether the request has the connection to itself: then what is left of its body would be read
  /// as the next request.
  private static boolean alone(RoutingContext exchange) {
    return exchange.request().version() != HttpVersion.HTTP_2;
  }

  private void refuse(RoutingContext exchange, String got) {
    HttpServerResponse refusal =
        exchange
            .response()
            .setStatusCode(413)
            .putHeader(HttpHeaders.CONTENT_TYPE, "application/json");
    if (alone(exchange)) {
      refusal.putHeader(HttpHeaders.CONNECTION, "close");
    }
    refusal
        .end(
            "{\"error\":\"body: got %s, expected at most %d bytes (strata.limits.message-bytes)\"}"
                .formatted(got, maxBytes))
        .onComplete(
            _ -> {
              if (alone(exchange)) {
                hangUp(exchange.request());
              }
            });
  }

  /// Closes the connection once the body is through, or after a while. Closed with bytes unread, it
  /// would be reset, and a reset may overtake the refusal on its way to the client.
  private void hangUp(HttpServerRequest request) {
    HttpConnection connection = request.connection();
    if (request.isEnded()) {
      connection.close();
      return;
    }
    long linger = vertx.setTimer(LINGER_MILLIS, _ -> connection.close());
    connection.closeHandler(_ -> vertx.cancelTimer(linger));
    request.exceptionHandler(_ -> {}).handler(_ -> {}).endHandler(_ -> connection.close()).resume();
  }

  private boolean fits(String length) {
    return length.length() < 11 && Long.parseLong(length) <= maxBytes;
  }
}
