package dev.strata.gateway.transport;

import dev.strata.gateway.GatewayConfig;
import io.vertx.core.http.HttpHeaders;
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

  private final int maxBytes;
  private final BodyHandler counting;
  private final BytesInFlight bytes;

  BodyLimit(GatewayConfig config, BytesInFlight bytes) {
    this.bytes = bytes;
    this.maxBytes = config.limits().messageBytes();
    this.counting = BodyHandler.create(false).setBodyLimit(maxBytes);
  }

  void install(@Observes Router router) {
    router
        .route()
        .order(HttpGate.ORDER + 1)
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
    if (length != null && length.matches("[0-9]+") && !fits(length)) {
      refuse(exchange, length + " bytes");
      return;
    }
    long room = room(exchange, length);
    if (!bytes.reserve(room)) {
      exchange.response().putHeader("Retry-After", Integer.toString(HttpGate.RETRY_SECONDS));
      HttpRefusal.send(exchange, 429, bytes.full());
      return;
    }
    exchange.addEndHandler(_ -> bytes.release(room));
    if (length == null && HttpRefusal.alone(exchange.request())) {
      counting.handle(exchange);
    } else {
      exchange.next();
    }
  }

  /// A body that does not announce its length may become as long as any.
  private long room(RoutingContext exchange, String length) {
    if (length != null) {
      return length.matches("[0-9]+") ? Long.parseLong(length) : 0;
    }
    return exchange.request().isEnded() ? 0 : maxBytes;
  }

  private void refuse(RoutingContext exchange, String got) {
    HttpRefusal.send(
        exchange,
        413,
        "body: got %s, expected at most %d bytes (strata.limits.message-bytes)"
            .formatted(got, maxBytes));
  }

  private boolean fits(String length) {
    return length.length() < 11 && Long.parseLong(length) <= maxBytes;
  }
}
