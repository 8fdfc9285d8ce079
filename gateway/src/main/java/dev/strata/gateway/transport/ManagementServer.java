package dev.strata.gateway.transport;

import dev.strata.gateway.GatewayConfig;
import dev.strata.gateway.security.Endpoints;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/// The port for operation, if there is one: metrics, probes, documents and the control of the
/// repository are then there and nowhere else. The framework has such a port too, but decides
/// when it is built whether to open it.
@Singleton
final class ManagementServer {

  private static final Logger LOG = Logger.getLogger(ManagementServer.class);

  private final OptionalInt wanted;
  private final String host;
  private final HttpOptions options;
  private final Vertx vertx;
  private volatile Optional<Router> router = Optional.empty();
  private volatile Optional<HttpServer> server = Optional.empty();

  ManagementServer(GatewayConfig config, HttpOptions options, Vertx vertx) {
    this.wanted = config.management().port();
    this.host = config.management().host();
    this.options = options;
    this.vertx = vertx;
  }

  void routes(@Observes Router all) {
    router = Optional.of(all);
  }

  void start(@Observes StartupEvent event) throws Exception {
    if (wanted.isEmpty()) {
      return;
    }
    HttpServerOptions settings = new HttpServerOptions().setHost(host).setPort(wanted.getAsInt());
    options.customizeHttpServer(settings);
    HttpServer listening =
        vertx
            .createHttpServer(settings)
            .requestHandler(router.orElseThrow())
            .listen()
            .toCompletionStage()
            .toCompletableFuture()
            .get(10, TimeUnit.SECONDS);
    server = Optional.of(listening);
    LOG.infof("management on %s:%d", host, listening.actualPort());
  }

  /// The port it listens on; empty if there is none of its own.
  OptionalInt port() {
    return server
        .map(listening -> OptionalInt.of(listening.actualPort()))
        .orElse(OptionalInt.empty());
  }

  /// Whether a route is served on the port that the request came in by. Probes of the protocol are
  /// on both.
  boolean serves(HttpServerRequest request, Endpoints.Route route) {
    if (wanted.isEmpty()) {
      return true;
    }
    boolean here = server.isPresent() && request.localAddress().port() == server.get().actualPort();
    return here == route.management();
  }

  @PreDestroy
  void stop() {
    server.ifPresent(listening -> listening.close());
  }
}
