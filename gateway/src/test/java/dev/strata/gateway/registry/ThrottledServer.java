package dev.strata.gateway.registry;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;

/// A web server with one object, which sends no more bytes than a test lets through, and breaks,
/// damages or refuses on demand.
final class ThrottledServer implements AutoCloseable {

  /// Sections end at multiples of this.
  private static final int PIECE_BYTES = 64;

  final AtomicLong sentBytes = new AtomicLong();
  final List<String> ranges = new CopyOnWriteArrayList<>();
  volatile byte[] object;
  volatile String tag = "\"one\"";
  volatile boolean knowsRanges = true;
  volatile int status;

  /// The next answer ends after this many bytes.
  final AtomicLong breakAfter = new AtomicLong(Long.MAX_VALUE);

  /// The next answer that sends this byte sends another one; -1 for none.
  final AtomicLong damageAt = new AtomicLong(-1);

  private final Semaphore allowed = new Semaphore(0);
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpServer server;

  ThrottledServer(byte[] object) throws IOException {
    this.object = object;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/model.strata", this::answer);
    server.start();
  }

  URI location() {
    return URI.create(
        "http://127.0.0.1:%d/model.strata?secret=1".formatted(server.getAddress().getPort()));
  }

  /// Lets this many more bytes through.
  void allow(long bytes) {
    allowed.release(Math.toIntExact(bytes));
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String match = exchange.getRequestHeaders().getFirst("If-Match");
      if (exchange.getRequestURI().getPath().endsWith(".sig")) {
        exchange.sendResponseHeaders(404, -1);
        return;
      }
      if (status != 0 || (match != null && !match.equals(tag))) {
        exchange.sendResponseHeaders(status != 0 ? status : 412, -1);
        return;
      }
      String range = exchange.getRequestHeaders().getFirst("Range");
      ranges.add(range);
      int from = knowsRanges ? Integer.parseInt(range.replaceAll("\\D", "")) : 0;
      if (from >= object.length) {
        exchange.sendResponseHeaders(416, -1);
        return;
      }
      exchange.getResponseHeaders().add("ETag", tag);
      if (knowsRanges) {
        exchange
            .getResponseHeaders()
            .add(
                "Content-Range",
                "bytes %d-%d/%d".formatted(from, object.length - 1, object.length));
      }
      exchange.sendResponseHeaders(knowsRanges ? 206 : 200, object.length - from);
      send(exchange.getResponseBody(), from);
    }
  }

  private void send(OutputStream body, int from) throws IOException {
    byte[] content = object.clone();
    for (int at = from; at < content.length; at += PIECE_BYTES) {
      int length = Math.min(PIECE_BYTES, content.length - at);
      allowed.acquireUninterruptibly(length);
      if (damageAt.get() >= at && damageAt.get() < at + length) {
        content[(int) damageAt.getAndSet(-1)] ^= 1;
      }
      body.write(content, at, length);
      body.flush();
      sentBytes.addAndGet(length);
      if (breakAfter.addAndGet(-length) <= 0) {
        breakAfter.set(Long.MAX_VALUE);
        throw new IOException("broken on purpose");
      }
    }
  }

  @Override
  public void close() {
    allow(Integer.MAX_VALUE / 2);
    server.stop(0);
    threads.shutdownNow();
  }
}
