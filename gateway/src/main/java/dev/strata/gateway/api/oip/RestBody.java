package dev.strata.gateway.api.oip;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.CompletableFuture;

/// The body of a REST request, read on its event loop. The framework's own reading hands over to
/// other threads first, and on HTTP/2 now and then finds a request that has ended meanwhile.
final class RestBody {

  private RestBody() {}

  /// Must be called on the event loop, before the request has ended unless its body is there.
  static CompletableFuture<byte[]> of(RoutingContext exchange) {
    Buffer counted = exchange.body().buffer();
    HttpServerRequest request = exchange.request();
    if (counted != null) {
      return CompletableFuture.completedFuture(counted.getBytes());
    }
    if (request.isEnded()) {
      return CompletableFuture.completedFuture(new byte[0]);
    }
    Future<Buffer> body = request.body();
    request.resume();
    return body.map(Buffer::getBytes).toCompletionStage().toCompletableFuture();
  }
}
