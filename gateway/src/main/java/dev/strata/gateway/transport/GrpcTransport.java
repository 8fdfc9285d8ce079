package dev.strata.gateway.transport;

import dev.strata.gateway.GatewayConfig;
import io.grpc.BindableService;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.TlsServerCredentials;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/// The gRPC server: grpc-java on Netty, on a port of its own. It serves every bean that is a
/// service, behind [GrpcGate]. Methods run on the event loop. If it cannot start, nothing does.
@Singleton
public final class GrpcTransport {

  private static final Logger LOG = Logger.getLogger(GrpcTransport.class);
  private static final int RESET_WINDOW_SECONDS = 30;

  /// Clients ping to see whether an idle connection still is one.
  private static final Duration LEAST_PING = Duration.ofSeconds(5);

  private final String host;
  private final Server server;

  GrpcTransport(
      GatewayConfig config,
      TlsMaterial tls,
      GrpcGate gate,
      @Any Instance<BindableService> services,
      @Any Instance<ServerInterceptor> interceptors) {
    GatewayConfig.Limits limits = config.limits();
    this.host = config.host();
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(
                new InetSocketAddress(config.host(), config.grpc().port()), credentials(tls))
            .directExecutor()
            .flowControlWindow(config.grpc().window())
            .maxInboundMessageSize(limits.messageBytes())
            .maxInboundMetadataSize(limits.headerBytes())
            .maxConcurrentCallsPerConnection(limits.streams())
            .maxRstFramesPerWindow(limits.resets(), RESET_WINDOW_SECONDS)
            .maxConnectionIdle(limits.idle().toMillis(), TimeUnit.MILLISECONDS)
            .maxConnectionAge(config.grpc().connectionAge().toMillis(), TimeUnit.MILLISECONDS)
            .permitKeepAliveTime(LEAST_PING.toMillis(), TimeUnit.MILLISECONDS)
            .permitKeepAliveWithoutCalls(true);
    services.forEach(builder::addService);
    if (config.grpc().reflection().orElse(config.loopbackOnly())) {
      builder.addService(ProtoReflectionServiceV1.newInstance());
    }
    interceptors.forEach(builder::intercept);
    // Last added, first asked.
    builder.intercept(gate.interceptor());
    this.server = builder.build();
  }

  private static ServerCredentials credentials(TlsMaterial tls) {
    if (tls.material().isEmpty()) {
      return InsecureServerCredentials.create();
    }
    TlsMaterial.Material material = tls.material().get();
    TlsServerCredentials.Builder credentials =
        TlsServerCredentials.newBuilder().keyManager(material.key());
    material.trust().ifPresent(credentials::trustManager);
    return credentials.clientAuth(clientAuth(material.clients())).build();
  }

  private static TlsServerCredentials.ClientAuth clientAuth(
      GatewayConfig.ClientCertificates clients) {
    return switch (clients) {
      case NONE -> TlsServerCredentials.ClientAuth.NONE;
      case REQUEST -> TlsServerCredentials.ClientAuth.OPTIONAL;
      case REQUIRE -> TlsServerCredentials.ClientAuth.REQUIRE;
    };
  }

  void start(@Observes StartupEvent event) throws IOException {
    server.start();
    LOG.infof("gRPC on %s:%d", host, server.getPort());
  }

  /// The port it listens on.
  public int port() {
    return server.getPort();
  }

  /// Every service it serves.
  public List<ServerServiceDefinition> services() {
    return server.getServices();
  }

  /// Takes no new connections, tells clients on the old ones to go, and waits for their calls.
  ///
  /// @return whether all of them ended in time
  boolean drain(Duration timeout) throws InterruptedException {
    server.shutdown();
    return server.awaitTermination(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  @PreDestroy
  void stop() {
    server.shutdownNow();
  }
}
