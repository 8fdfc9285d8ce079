package dev.strata.gateway.api.oip;

import dev.strata.gateway.GatewayConfig;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

/// Refuses a body whose announced length is over the limit before any of it is read. A body that
/// announces nothing is cut off by the framework at the same limit.
@Singleton
final class BodyLimit {

  private final int maxBytes;

  BodyLimit(GatewayConfig config) {
    this.maxBytes = config.limits().messageBytes();
  }

  void install(@Observes Router router) {
    router.route().order(Integer.MIN_VALUE).handler(this::check);
  }

  private void check(RoutingContext exchange) {
    String length = exchange.request().getHeader(HttpHeaders.CONTENT_LENGTH);
    if (length == null || !length.matches("[0-9]+") || fits(length)) {
      exchange.next();
      return;
    }
    HttpServerResponse refusal =
        exchange
            .response()
            .setStatusCode(413)
            .putHeader(HttpHeaders.CONTENT_TYPE, "application/json");
    boolean alone = exchange.request().version() != HttpVersion.HTTP_2;
    if (alone) {
      refusal.putHeader(HttpHeaders.CONNECTION, "close");
    }
    refusal
        .end(
            "{\"error\":\"body: got %s bytes, expected at most %d (strata.limits.message-bytes)\"}"
                .formatted(length, maxBytes))
        .onComplete(
            _ -> {
              // The rest of the body must not be read as the next request.
              if (alone) {
                exchange.request().connection().close();
              }
            });
  }

  private boolean fits(String length) {
    return length.length() < 11 && Long.parseLong(length) <= maxBytes;
  }
}
