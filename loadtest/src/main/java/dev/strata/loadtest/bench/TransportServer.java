package dev.strata.loadtest.bench;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.vertx.core.Vertx;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.grpc.server.GrpcServer;
import io.vertx.grpc.server.GrpcServerOptions;
import io.vertx.grpc.server.GrpcServiceBridge;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/// One of the two ways in which Quarkus can serve gRPC, on a free port of this machine.
///
/// @param stop ends it
record TransportServer(String name, int port, Runnable stop) implements AutoCloseable {

  /// Bytes under way, as `strata.grpc.window` has it.
  static final int WINDOW = 8 << 20;

  /// On the HTTP server.
  static TransportServer unified(BindableService service, int mostBytes) {
    Vertx vertx = Vertx.vertx();
    GrpcServer grpc =
        GrpcServer.server(vertx, new GrpcServerOptions().setMaxMessageSize(mostBytes));
    GrpcServiceBridge.bridge(service).bind(grpc);
    HttpServer server =
        vertx
            .createHttpServer(
                new HttpServerOptions()
                    .setHost("127.0.0.1")
                    .setPort(0)
                    .setInitialSettings(new Http2Settings().setInitialWindowSize(WINDOW))
                    .setHttp2ConnectionWindowSize(WINDOW))
            .requestHandler(grpc)
            .listen()
            .toCompletionStage()
            .toCompletableFuture()
            .join();
    return new TransportServer(
        "unified",
        server.actualPort(),
        () -> vertx.close().toCompletionStage().toCompletableFuture().join());
  }

  /// On a server of its own, with its methods on the event loop, as the gateway has it.
  static TransportServer separate(BindableService service, int mostBytes) throws IOException {
    Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .directExecutor()
            .flowControlWindow(WINDOW)
            .maxInboundMessageSize(mostBytes)
            .addService(service)
            .build()
            .start();
    return new TransportServer("separate", server.getPort(), server::shutdownNow);
  }

  @Override
  public void close() {
    stop.run();
  }
}
