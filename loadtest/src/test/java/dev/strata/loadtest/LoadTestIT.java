package dev.strata.loadtest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.loadtest.report.ReportFiles;
import dev.strata.loadtest.report.RunSummary;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A short load on the packaged gateway: no request may be lost or answered wrongly.
final class LoadTestIT {
  private static final Path ROOT = Path.of("").toAbsolutePath().getParent();

  @TempDir private static Path work;

  private static int port;
  private static int grpcPort;
  private static Process gateway;

  @BeforeAll
  static void start() throws Exception {
    port = freePort();
    grpcPort = freePort();
    gateway =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dquarkus.http.port=" + port,
                "-Dquarkus.grpc.server.port=" + grpcPort,
                "-Dstrata.repositories=" + ROOT.resolve("gateway/src/main/repository"),
                "-jar",
                ROOT.resolve("gateway/target/quarkus-app/quarkus-run.jar").toString())
            .redirectErrorStream(true)
            .redirectOutput(work.resolve("gateway.log").toFile())
            .start();
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
    while (!isReady()) {
      String log = Files.readString(work.resolve("gateway.log"));
      assertTrue(gateway.isAlive() && System.nanoTime() < end, log);
      Thread.sleep(100);
    }
  }

  @AfterAll
  static void stop() throws InterruptedException {
    gateway.destroy();
    if (!gateway.waitFor(20, TimeUnit.SECONDS)) {
      gateway.destroyForcibly();
    }
  }

  @Test
  void noRequestIsLostOrAnsweredWrongly() throws IOException {
    Path json = work.resolve("run.json");
    Path answers = work.resolve("answers.json");
    loadtest(0, "--json", json.toString(), "--record", answers.toString());

    RunSummary summary = ReportFiles.read(json);
    assertTrue(summary.sent() > 200, "requests sent: " + summary.sent());
    assertEquals(summary.sent(), summary.answered());
    assertEquals(8, summary.rows().size(), "calls: four widths over two protocols");

    loadtest(0, "--check", answers.toString());
    Files.writeString(answers, Files.readString(answers).replaceFirst("(bits\" : \")..", "$1zz"));
    loadtest(1, "--check", answers.toString());
  }

  private static void loadtest(int exitCode, String... options) {
    StringWriter said = new StringWriter();
    PrintWriter printer = new PrintWriter(said);
    String[] arguments = new String[options.length + 6];
    arguments[0] = "run";
    arguments[1] = ROOT.resolve("loadtest/scenarios/garments.yaml").toString();
    arguments[2] = "--rest";
    arguments[3] = "http://127.0.0.1:" + port;
    arguments[4] = "--grpc";
    arguments[5] = "127.0.0.1:" + grpcPort;
    System.arraycopy(options, 0, arguments, 6, options.length);
    int code = LoadTestCommand.run(printer, printer, arguments);
    assertEquals(exitCode, code, said.toString());
  }

  private static boolean isReady() {
    try (Socket _ = new Socket(InetAddress.getLoopbackAddress(), grpcPort);
        HttpClient http = HttpClient.newHttpClient()) {
      URI ready = URI.create("http://127.0.0.1:%d/v2/health/ready".formatted(port));
      return http.send(HttpRequest.newBuilder(ready).build(), BodyHandlers.discarding())
              .statusCode()
          == 200;
    } catch (IOException notYet) {
      return false;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
