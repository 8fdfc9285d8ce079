package dev.strata.loadtest.bench;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.scenario.Phase;
import dev.strata.loadtest.scenario.Scenario;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// MiniLM over a slow link: when it answers at each width, against when all of it is there.
final class ProgressiveBench {
  private static final int PIECE_BYTES = 16 << 10;
  private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(10);

  private ProgressiveBench() {}

  /// @param bytesPerSecond of the link
  static void run(Bench bench, double bytesPerSecond) throws IOException, InterruptedException {
    byte[] artifact =
        Files.readAllBytes(bench.repository("minilm").resolve("minilm/1/model.strata"));
    HttpServer link =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    link.createContext("/", exchange -> answer(exchange, artifact, bytesPerSecond));
    Path repository = Files.createTempDirectory(bench.work(), "progressive");
    try (GatewayProcess gateway =
        bench.start(repository, Map.of("strata.repository-poll", "50ms"))) {
      link.start();
      Path settings = Files.createDirectories(repository.resolve("minilm")).resolve("model.yaml");
      long start = System.nanoTime();
      Files.writeString(
          settings,
          "source: {1: \"http://127.0.0.1:%d/model.strata\"}%n"
              .formatted(link.getAddress().getPort()));
      bench.line("%,d bytes at %.1f MB/s:", artifact.length, bytesPerSecond / 1e6);
      bench.line("");
      bench.line("| width | first answer after |");
      bench.line("| --- | --- |");
      Deque<Integer> widths = new ArrayDeque<>(List.of(1, 2, 3, 4, 5, 6, 7, 8));
      Scenario scenario = bench.scenario("sentences", gateway);
      Call call = scenario.calls().getFirst();
      while (!widths.isEmpty() && System.nanoTime() - start < PATIENCE_NANOS) {
        if (answers(scenario, call.at(widths.getFirst()))) {
          bench.line("| %d | %.2f s |", widths.removeFirst(), (System.nanoTime() - start) / 1e9);
        } else {
          TimeUnit.MILLISECONDS.sleep(20);
        }
      }
      if (!widths.isEmpty()) {
        throw new IOException(
            "no answer at %d bits: %s".formatted(widths.getFirst(), gateway.log()));
      }
    } finally {
      link.stop(0);
    }
  }

  private static boolean answers(Scenario scenario, Call call) throws InterruptedException {
    Phase once = new Phase.Trace(0.001, List.of(new Phase.Trace.Arrival(0, "")));
    return Bench.drive(scenario, call, once).answered() > 0;
  }

  private static void answer(HttpExchange exchange, byte[] artifact, double bytesPerSecond)
      throws IOException {
    try (exchange) {
      if (!exchange.getRequestURI().getPath().equals("/model.strata")) {
        exchange.sendResponseHeaders(404, -1);
        return;
      }
      String range = exchange.getRequestHeaders().getFirst("Range");
      int from = range == null ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
      exchange.getResponseHeaders().add("ETag", "\"1\"");
      exchange
          .getResponseHeaders()
          .add(
              "Content-Range",
              "bytes %d-%d/%d".formatted(from, artifact.length - 1, artifact.length));
      exchange.sendResponseHeaders(range == null ? 200 : 206, artifact.length - from);
      OutputStream body = exchange.getResponseBody();
      long start = System.nanoTime();
      for (int at = from; at < artifact.length; at += PIECE_BYTES) {
        int length = Math.min(PIECE_BYTES, artifact.length - at);
        long due = start + (long) ((at - from + length) / bytesPerSecond * 1e9);
        TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
        body.write(artifact, at, length);
        body.flush();
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
