package dev.strata.gateway.transport;

import dev.strata.gateway.Drain;
import dev.strata.gateway.GatewayConfig;
import dev.strata.gateway.security.Access;
import dev.strata.gateway.security.Credentials;
import dev.strata.gateway.security.Endpoints;
import dev.strata.gateway.security.Permission;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/// What every HTTP request meets first, on whichever port.
@Singleton
final class HttpGate {

  /// Where the gate stands among the routes: before all.
  static final int ORDER = Integer.MIN_VALUE;

  static final String SHUTTING_DOWN = "the server is shutting down";
  static final int RETRY_SECONDS = 1;

  private final Access access;
  private final Drain drain;
  private final ManagementServer management;
  private final AccessLog log;
  private final AtomicInteger underWay = new AtomicInteger();

  HttpGate(GatewayConfig config, Access access, Drain drain, ManagementServer management) {
    this.access = access;
    this.drain = drain;
    this.management = management;
    this.log = new AccessLog(config.accessLog());
  }

  void install(@Observes Router router) {
    router.route().order(ORDER).handler(this::admit);
  }

  private void admit(RoutingContext exchange) {
    HttpServerRequest request = exchange.request();
    String path = exchange.normalizedPath();
    Endpoints.Route route = Endpoints.route(request.method().name(), path);
    count(exchange, path);
    if (!management.serves(request, route)) {
      HttpRefusal.send(exchange, 404, "path: got '%s', which is not served".formatted(path));
      return;
    }
    switch (access.decide(route.permission(), credentials(request))) {
      case Access.Decision.Unauthenticated(String reason) -> {
        exchange.response().putHeader("WWW-Authenticate", "Bearer");
        HttpRefusal.send(exchange, 401, reason);
      }
      case Access.Decision.Forbidden(String reason) -> HttpRefusal.send(exchange, 403, reason);
      case Access.Decision.Granted _
          when drain.refusing() && route.permission() != Permission.ANYONE -> {
        exchange.response().putHeader("Retry-After", Integer.toString(RETRY_SECONDS));
        HttpRefusal.send(exchange, 503, SHUTTING_DOWN);
      }
      case Access.Decision.Granted _ -> exchange.next();
    }
  }

  private void count(RoutingContext exchange, String path) {
    long start = System.nanoTime();
    underWay.incrementAndGet();
    exchange.addEndHandler(
        _ -> {
          underWay.decrementAndGet();
          if (log.enabled()) {
            log.write(
                "http",
                exchange.request().method() + " " + path,
                Integer.toString(exchange.response().getStatusCode()),
                start);
          }
        });
    exchange.addHeadersEndHandler(
        _ -> {
          if (drain.leaving() && HttpRefusal.alone(exchange.request())) {
            exchange.response().putHeader(HttpHeaders.CONNECTION, "close");
          }
        });
  }

  /// Requests that have not been answered.
  int underWay() {
    return underWay.get();
  }

  private static Credentials credentials(HttpServerRequest request) {
    return new Credentials(
        Optional.ofNullable(request.getHeader(Credentials.AUTHORIZATION)),
        Optional.ofNullable(request.getHeader(Credentials.API_KEY)),
        Credentials.subject(Optional.ofNullable(request.sslSession())));
  }
}
