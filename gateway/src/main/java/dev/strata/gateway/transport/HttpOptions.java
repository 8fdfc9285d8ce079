package dev.strata.gateway.transport;

import dev.strata.gateway.GatewayConfig;
import io.quarkus.vertx.http.HttpServerOptionsCustomizer;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.KeyCertOptions;
import io.vertx.core.net.TrustOptions;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Limits and TLS of the HTTP servers. TLS is set here and not by the framework's settings, of
/// which the one that demands client certificates is fixed when the server is built: given at
/// the start it would be ignored.
@Singleton
public final class HttpOptions implements HttpServerOptionsCustomizer {

  private static final int RESET_WINDOW_SECONDS = 30;

  private final GatewayConfig config;
  private final TlsMaterial tls;

  HttpOptions(GatewayConfig config, TlsMaterial tls) {
    this.config = config;
    this.tls = tls;
  }

  @Override
  public void customizeHttpServer(HttpServerOptions options) {
    GatewayConfig.Limits limits = config.limits();
    options
        .setMaxHeaderSize(limits.headerBytes())
        .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
        .setIdleTimeout((int) limits.idle().toMillis())
        .setHttp2RstFloodMaxRstFramePerWindow(limits.resets())
        .setHttp2RstFloodWindowDuration(RESET_WINDOW_SECONDS)
        .setHttp2RstFloodWindowDurationTimeUnit(TimeUnit.SECONDS);
    options
        .getInitialSettings()
        .setMaxConcurrentStreams(limits.streams())
        .setMaxHeaderListSize(limits.headerBytes());
    tls.material()
        .ifPresent(
            material -> {
              options
                  .setSsl(true)
                  .setUseAlpn(true)
                  .setAlpnVersions(List.of(HttpVersion.HTTP_2, HttpVersion.HTTP_1_1))
                  .setKeyCertOptions(KeyCertOptions.wrap(material.key()));
              material
                  .trust()
                  .ifPresent(trust -> options.setTrustOptions(TrustOptions.wrap(trust)));
              options.setClientAuth(
                  switch (material.clients()) {
                    case NONE -> ClientAuth.NONE;
                    case REQUEST -> ClientAuth.REQUEST;
                    case REQUIRE -> ClientAuth.REQUIRED;
                  });
            });
  }
}
