package dev.strata.k8s;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The packaged gateway, started with the environment of the rendered Deployment: its probes
/// answer, the autoscalers' figures are there, and it drains before the kubelet would kill it.
/// Ports are free ones, and paths lie below a folder; all else is as in the manifest.
final class DeploymentIT {

  private static final String TOKEN = "a token of this test";
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  @TempDir private Path root;

  private final Map<Integer, Integer> ports = new HashMap<>();

  @BeforeAll
  static void tools() {
    assumeTrue(Kubectl.available(), "no kubectl: npm ci in k8s/src/test/schemas is missing");
  }

  @Test
  void theDeploymentsServerAnswersItsProbesAndDrainsInTime() throws Exception {
    List<JsonNode> objects = Kubectl.render(Path.of("overlays/production"));
    Pod pod = Pod.of(objects).getFirst();
    mounts();
    Path log = root.resolve("log");
    Process server = start(pod, log);
    try {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (probe(pod, "startupProbe") != 200 || probe(pod, "readinessProbe") != 200) {
        assertTrue(server.isAlive() && System.nanoTime() < end, () -> read(log));
        Thread.sleep(100);
      }
      assertEquals(200, probe(pod, "livenessProbe"));
      assertEquals(404, get(8080, "/q/health/live", "").statusCode(), "on the port of use");
      assertEquals(401, get(8081, "/metrics", "").statusCode(), "without a key");
      assertEquals(200, get(8080, "/v2/models/fashion/ready", TOKEN).statusCode());
      assertEquals(200, infer().statusCode());
      figuresAreThere(objects);

      long asked = System.nanoTime();
      server.destroy();
      end = asked + TimeUnit.SECONDS.toNanos(5);
      while (probe(pod, "readinessProbe") == 200) {
        assertTrue(System.nanoTime() < end, "still ready");
        Thread.sleep(50);
      }
      assertEquals(
          200, get(8080, "/v2/models/fashion", TOKEN).statusCode(), "still served in the delay");
      long grace = pod.spec().path("terminationGracePeriodSeconds").asLong();
      assertTrue(server.waitFor(grace, TimeUnit.SECONDS), "killed after the grace period");
      Duration took = Duration.ofNanos(System.nanoTime() - asked);
      assertTrue(took.toSeconds() >= 10, () -> "ended before the delay: " + took);
    } finally {
      server.destroyForcibly();
    }
  }

  /// All of them; a brown-out level has none before it first changes.
  private void figuresAreThere(List<JsonNode> objects) throws Exception {
    String metrics = get(8081, "/metrics", TOKEN).body();
    for (JsonNode object : objects) {
      for (String query : Agreement.queries(object)) {
        for (String name : Agreement.names(query)) {
          assertTrue(
              metrics.contains(name) || name.equals("strata_brownout_level"),
              () -> "no " + name + " in " + metrics);
        }
      }
    }
  }

  /// As the kubelet lays them out: files behind a link to a folder that is exchanged as a whole.
  private void mounts() throws Exception {
    Path model = Files.createDirectories(root.resolve("models/..data/fashion/1"));
    Files.copy(
        Path.of("../gateway/src/main/repository/fashion/1/model.strata"),
        model.resolve("model.strata"));
    Files.createSymbolicLink(root.resolve("models/fashion"), Path.of("..data/fashion"));
    Files.createDirectories(root.resolve("cache"));
    Files.createDirectories(root.resolve("keys"));
    byte[] hash =
        MessageDigest.getInstance("SHA-256").digest(TOKEN.getBytes(StandardCharsets.UTF_8));
    Files.writeString(
        root.resolve("keys/api-keys"), "test admin " + HexFormat.of().formatHex(hash) + "\n");
  }

  private Process start(Pod pod, Path log) throws IOException {
    Map<String, String> environment = new HashMap<>();
    for (Map.Entry<String, String> setting : pod.environment().entrySet()) {
      String value = setting.getValue();
      if (setting.getKey().endsWith("_PORT")) {
        value = Integer.toString(free(Integer.parseInt(value)));
      } else if (value.startsWith("/")) {
        value = root.resolve(value.substring(1)).toString();
      }
      environment.put(setting.getKey(), value);
    }
    ProcessBuilder server =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Dai.djl.offline=true",
                "-jar",
                "../gateway/target/quarkus-app/quarkus-run.jar")
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    server.environment().putAll(environment);
    return server.start();
  }

  private int free(int port) throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      ports.put(port, socket.getLocalPort());
      return socket.getLocalPort();
    }
  }

  /// @return the status; 0 if nobody listens
  private int probe(Pod pod, String name) throws InterruptedException {
    JsonNode get = pod.container().path(name).path("httpGet");
    int port =
        pod.container()
            .path("ports")
            .valueStream()
            .filter(each -> each.path("name").equals(get.path("port")))
            .findFirst()
            .orElseThrow()
            .path("containerPort")
            .asInt();
    try {
      return get(port, get.path("path").asText(), "").statusCode();
    } catch (IOException refused) {
      return 0;
    }
  }

  private HttpResponse<String> get(int port, String path, String token)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + ports.get(port) + path))
            .timeout(Duration.ofSeconds(5));
    if (!token.isEmpty()) {
      request.header("X-Api-Key", token);
    }
    return HTTP.send(request.build(), BodyHandlers.ofString());
  }

  private HttpResponse<String> infer() throws IOException, InterruptedException {
    URI uri = URI.create("http://127.0.0.1:" + ports.get(8080) + "/v2/models/fashion/infer");
    return HTTP.send(
        HttpRequest.newBuilder(uri)
            .timeout(Duration.ofSeconds(10))
            .header("X-Api-Key", TOKEN)
            .header("Inference-Header-Content-Length", "0")
            .POST(BodyPublishers.ofFile(Path.of("../docs/examples/ankle-boot.png")))
            .build(),
        BodyHandlers.ofString());
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException unreadable) {
      return unreadable.toString();
    }
  }
}
