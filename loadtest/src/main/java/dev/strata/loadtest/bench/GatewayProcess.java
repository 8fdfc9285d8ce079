package dev.strata.loadtest.bench;

import dev.strata.loadtest.scenario.Scenario;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/// A packaged gateway in a process of its own, on free loopback ports.
public final class GatewayProcess implements AutoCloseable {
  private static final Duration START = Duration.ofMinutes(1);
  private static final Duration STOP = Duration.ofSeconds(60);

  /// What to start.
  ///
  /// @param root the project's folder, with the gateway built
  /// @param repositories of models
  /// @param settings as in `docs/operations.md`
  /// @param cpu the processor it is bound to; empty for any
  /// @param jvm further options of the JVM
  public record Setup(
      Path root,
      List<Path> repositories,
      Map<String, String> settings,
      OptionalInt cpu,
      List<String> jvm) {
    public Setup {
      repositories = List.copyOf(repositories);
      settings = Map.copyOf(settings);
      jvm = List.copyOf(jvm);
    }

    public Setup(
        Path root, List<Path> repositories, Map<String, String> settings, OptionalInt cpu) {
      this(root, repositories, settings, cpu, List.of());
    }
  }

  /// Memory of the process in bytes.
  ///
  /// @param resident all that is in memory
  /// @param anonymous heap, stacks and scratch
  /// @param mapped files: the planes, the class archive, libraries
  public record Memory(long resident, long anonymous, long mapped) {}

  private final Process process;
  private final Path log;
  private final int restPort;
  private final int grpcPort;
  private final long startNanos;
  private final HttpClient http = HttpClient.newHttpClient();

  private GatewayProcess(Process process, long startNanos, Path log, int restPort, int grpcPort) {
    this.process = process;
    this.startNanos = startNanos;
    this.log = log;
    this.restPort = restPort;
    this.grpcPort = grpcPort;
  }

  /// Starts a gateway and waits until it says that it is ready.
  ///
  /// @throws IOException with the end of its log if it does not come up
  public static GatewayProcess start(Setup setup) throws IOException, InterruptedException {
    int restPort = freePort();
    int grpcPort = freePort();
    List<String> command = new ArrayList<>();
    if (setup.cpu().isPresent()) {
      command.addAll(List.of("taskset", "-c", Integer.toString(setup.cpu().getAsInt())));
    }
    command.add(setup.root().resolve("deploy/gateway-java").toString());
    command.addAll(setup.jvm());
    command.add("-Dquarkus.http.port=" + restPort);
    command.add("-Dstrata.grpc.port=" + grpcPort);
    command.add(
        "-Dstrata.repositories="
            + setup.repositories().stream().map(Path::toString).collect(Collectors.joining(",")));
    setup.settings().forEach((name, value) -> command.add("-D%s=%s".formatted(name, value)));
    Path log = Files.createTempFile("strata-gateway", ".log");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    long startNanos = System.nanoTime();
    Process process = builder.start();
    GatewayProcess gateway = new GatewayProcess(process, startNanos, log, restPort, grpcPort);
    try {
      gateway.awaitReady();
    } catch (IOException | InterruptedException failed) {
      gateway.close();
      throw failed;
    }
    return gateway;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private void awaitReady() throws IOException, InterruptedException {
    long end = System.nanoTime() + START.toNanos();
    while (!isReady() || !listens(grpcPort)) {
      if (!process.isAlive() || System.nanoTime() > end) {
        throw new IOException("the gateway did not start: " + Files.readString(log));
      }
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }

  private static boolean listens(int port) {
    try (Socket _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return true;
    } catch (IOException notYet) {
      return false;
    }
  }

  /// Where clients reach it.
  public Scenario.Target target() {
    return new Scenario.Target("http://127.0.0.1:" + restPort, "127.0.0.1:" + grpcPort);
  }

  /// What readiness probes see.
  public boolean isReady() throws InterruptedException {
    try {
      return get("/v2/health/ready").statusCode() == 200;
    } catch (IOException refused) {
      return false;
    }
  }

  /// @param path below the address of REST
  public HttpResponse<String> get(String path) throws IOException, InterruptedException {
    URI uri = URI.create("http://127.0.0.1:%d%s".formatted(restPort, path));
    return http.send(
        HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(5)).build(),
        BodyHandlers.ofString());
  }

  /// Asks the demo model about a picture.
  ///
  /// @return whether it answered
  boolean classifies(byte[] picture) throws IOException, InterruptedException {
    URI uri = URI.create("http://127.0.0.1:%d/v2/models/fashion/infer".formatted(restPort));
    HttpRequest request =
        HttpRequest.newBuilder(uri)
            .timeout(Duration.ofSeconds(5))
            .header("Inference-Header-Content-Length", "0")
            .header("Accept", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(picture))
            .build();
    return http.send(request, BodyHandlers.ofString()).statusCode() == 200;
  }

  long pid() {
    return process.pid();
  }

  /// Since the process was asked for.
  double seconds() {
    return (System.nanoTime() - startNanos) / 1e9;
  }

  public Memory memory() throws IOException {
    List<String> status =
        Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status"));
    return new Memory(
        kibibytes(status, "VmRSS:"), kibibytes(status, "RssAnon:"), kibibytes(status, "RssFile:"));
  }

  private static long kibibytes(List<String> status, String name) {
    return status.stream()
        .filter(line -> line.startsWith(name))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
        .findFirst()
        .orElseThrow();
  }

  /// Asks it to end, as an orchestrator does (SIGTERM).
  ///
  /// @return its exit code
  /// @throws IOException if it does not end
  public int terminate() throws IOException, InterruptedException {
    process.destroy();
    if (!process.waitFor(STOP.toSeconds(), TimeUnit.SECONDS)) {
      throw new IOException("the gateway did not end: " + Files.readString(log));
    }
    return process.exitValue();
  }

  public String log() throws IOException {
    return Files.readString(log);
  }

  @Override
  public void close() {
    process.destroyForcibly();
    http.shutdownNow();
    try {
      Files.deleteIfExists(log);
    } catch (IOException leftBehind) {
      throw new UncheckedIOException(leftBehind);
    }
  }
}
