package dev.strata.gateway.transport;

import dev.strata.gateway.Drain;
import dev.strata.gateway.GatewayConfig;
import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.time.Duration;
import org.jboss.logging.Logger;

/// The way out: not ready, still serving for a while, then refusing, then waiting for what is under
/// way. Only afterwards does the framework close its sockets and end the parts.
@Singleton
final class GracefulShutdown {

  private static final Logger LOG = Logger.getLogger(GracefulShutdown.class);
  private static final Duration LOOK = Duration.ofMillis(10);

  private final Duration delay;
  private final Duration timeout;
  private final Drain drain;
  private final GrpcTransport grpc;
  private final HttpGate http;

  GracefulShutdown(GatewayConfig config, Drain drain, GrpcTransport grpc, HttpGate http) {
    this.delay = config.shutdown().delay();
    this.timeout = config.shutdown().timeout();
    this.drain = drain;
    this.grpc = grpc;
    this.http = http;
  }

  /// Fired on the shutting-down thread, which waits for the observers.
  void run(@Observes ShutdownDelayInitiatedEvent event) throws InterruptedException {
    drain.leave();
    Thread.sleep(delay);
    drain.refuse();
    long end = System.nanoTime() + timeout.toNanos();
    boolean done = grpc.drain(timeout);
    while (http.underWay() > 0 && System.nanoTime() < end) {
      Thread.sleep(LOOK);
    }
    if (!done || http.underWay() > 0) {
      LOG.warnf("requests were still under way after %s", timeout);
    }
  }
}
