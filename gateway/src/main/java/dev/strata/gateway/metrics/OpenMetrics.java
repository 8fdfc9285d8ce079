package dev.strata.gateway.metrics;

import io.micrometer.prometheus.PrometheusMeterRegistry;
import io.prometheus.client.exporter.common.TextFormat;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/// While traces are on, answers scrapers that know OpenMetrics in that format, for no other has
/// exemplars. The framework does so only for those who ask for its very words, charset and all,
/// which Prometheus does not.
@Singleton
@SuppressWarnings("deprecation") // the registry that the framework brings
final class OpenMetrics {

  private static final String MEDIA_TYPE = "application/openmetrics-text";

  private final PrometheusMeterRegistry registry;
  private final Tracing tracing;
  private final String path;

  OpenMetrics(
      PrometheusMeterRegistry registry,
      Tracing tracing,
      @ConfigProperty(name = "quarkus.micrometer.export.prometheus.path") String path) {
    this.registry = registry;
    this.tracing = tracing;
    this.path = path;
  }

  /// Before the framework's own route, behind the gate.
  void install(@Observes Router router) {
    if (tracing.tracer().isPresent()) {
      router.get(path).order(-1).blockingHandler(this::answer, false);
    }
  }

  private void answer(RoutingContext exchange) {
    String accept = exchange.request().getHeader(HttpHeaders.ACCEPT);
    if (accept == null || !accept.contains(MEDIA_TYPE)) {
      exchange.next();
      return;
    }
    exchange
        .response()
        .putHeader(HttpHeaders.CONTENT_TYPE, TextFormat.CONTENT_TYPE_OPENMETRICS_100)
        .end(registry.scrape(TextFormat.CONTENT_TYPE_OPENMETRICS_100));
  }
}
