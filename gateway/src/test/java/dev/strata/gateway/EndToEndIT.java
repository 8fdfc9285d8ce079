package dev.strata.gateway;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.hamcrest.Matchers.equalTo;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.restassured.path.json.JsonPath;
import io.restassured.response.Response;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/// The packaged gateway as its users meet it: a process of its own with the embedded repository,
/// asked by foreign clients. Tools that are not installed are missed aloud where CI runs.
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class EndToEndIT {
  private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
  private static final Path RULES = ROOT.resolve("deploy/prometheus");
  private static final List<String> RULE_FILES = List.of("recording.rules.yml", "alert.rules.yml");
  private static final Path BOOT = ROOT.resolve("docs/examples/ankle-boot.png");
  private static final Path CLI = ROOT.resolve("trainer/target/strata-trainer.jar");
  private static final int ANKLE_BOOT = 9;
  private static final Duration START = Duration.ofMinutes(1);

  /// What a model's owner may ask for, so that every metric is there. Two models, since what
  /// comes from a cache is not checked.
  private static final Map<String, String> SETTINGS =
      Map.of("cached", "cache-bytes: 1000000", "checked", "shadow: {bits: 8, share: 1}");

  private static final List<Process> STARTED = new ArrayList<>();

  @TempDir private static Path work;

  private static int port;
  private static int grpcPort;
  private static Prometheus prometheus;
  private static Process gateway;

  @BeforeAll
  static void start() throws Exception {
    Path embedded = ROOT.resolve("gateway/src/main/repository");
    Path own = work.resolve("repository");
    for (Map.Entry<String, String> model : SETTINGS.entrySet()) {
      Path folder = Files.createDirectories(own.resolve(model.getKey()));
      Files.writeString(folder.resolve("model.yaml"), model.getValue());
      Files.createSymbolicLink(folder.resolve("1"), embedded.resolve("fashion/1"));
    }
    port = freePort();
    grpcPort = freePort();
    gateway =
        start(
            "gateway",
            ROOT.resolve("deploy/gateway-java").toString(),
            "-Dquarkus.http.port=" + port,
            "-Dstrata.grpc.port=" + grpcPort,
            "-Dstrata.memory.budget-bytes=100000000",
            "-Dstrata.repositories=" + embedded + "," + own);
    await("the gateway to be ready", () -> statusOf("/v2/health/ready") == 200);
  }

  @AfterAll
  static void stop() throws InterruptedException {
    for (Process process : STARTED) {
      process.destroy();
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    }
  }

  @Test
  @Order(1)
  void aPictureIsClassifiedAtEveryWidth() throws IOException {
    byte[] picture = Files.readAllBytes(BOOT);
    for (int bits = 8; bits >= 1; bits--) {
      Response answer = classify("fashion", picture, bits);
      answer.then().statusCode(200).body("parameters.bits", equalTo(bits));
      List<Float> probabilities = answer.jsonPath().getList("outputs[0].data", Float.class);
      assertEquals(1, probabilities.stream().mapToDouble(Float::doubleValue).sum(), 1e-4);
      if (bits > 1) {
        assertEquals(ANKLE_BOOT, best(probabilities), "class at %d bits".formatted(bits));
      }
    }
  }

  @Test
  @Order(2)
  void badRequestsAreAnsweredInWords() {
    given()
        .port(port)
        .body("{\"inputs\": [], \"parameters\": {\"bits\": 9}}")
        .post("/v2/models/fashion/infer")
        .then()
        .statusCode(400)
        .body("error", equalTo("parameters.bits: got 9, expected an integer from 1 to 8"));
    given().port(port).body("{}").post("/v2/models/nothing/infer").then().statusCode(404);
  }

  @Test
  @Order(3)
  void aPythonClientOfThePublicProtocolIsServed() throws Exception {
    assumeInstalled("/usr/bin/python3", "-c", "import grpc, grpc_tools");
    String answer =
        output(
            "/usr/bin/python3",
            ROOT.resolve("gateway/src/test/python/oip_client.py").toString(),
            "fashion",
            "--server",
            "127.0.0.1:" + grpcPort,
            "--image",
            BOOT.toString(),
            "--bits",
            "8",
            "--bits",
            "4");
    assertTrue(answer.contains("bits 8 ") && answer.contains("bits 4 "), answer);
    assertTrue(answer.contains("class " + ANKLE_BOOT), answer);
  }

  @Test
  @Order(4)
  void prometheusAnswersTheNinetyNinthPercentileByWidth() throws Exception {
    assumeInstalled("prometheus", "--version");
    prometheus = new Prometheus(freePort());
    Path config = work.resolve("prometheus.yml");
    Files.writeString(
        config,
        Files.readString(RULES.resolve("prometheus.yml"))
            .replace("15s", "1s")
            .replace("gateway:8080", "127.0.0.1:" + port)
            .replace("- recording", "- " + RULES.resolve("recording"))
            .replace("- alert", "- " + RULES.resolve("alert")));
    start(
        "prometheus",
        "prometheus",
        "--config.file=" + config,
        "--storage.tsdb.path=" + work.resolve("series"),
        "--web.listen-address=127.0.0.1:" + prometheus.port());
    byte[] picture = Files.readAllBytes(BOOT);
    await(
        "PromQL to know the p99 of every width",
        () -> {
          classifyAtEveryWidth(picture);
          return percentiles().size() == 8;
        });
    percentiles()
        .forEach(
            (bits, seconds) ->
                assertTrue(
                    seconds > 0 && seconds < 10, "p99 at %s bits: %s s".formatted(bits, seconds)));
  }

  @Test
  @Order(5)
  void everyMetricOfTheRulesIsThere() throws Exception {
    Set<String> exposed = metrics("(\\w+).*");
    for (String file : RULE_FILES) {
      Matcher names =
          Pattern.compile("(?<![:a-z_])strata_[a-z_]+")
              .matcher(Files.readString(RULES.resolve(file)));
      while (names.find()) {
        assertTrue(exposed.contains(names.group()), file + ": " + names.group());
      }
    }
  }

  /// The latency objective counts a bucket, and a bucket that does not exist counts nothing.
  @Test
  @Order(5)
  void everyBucketOfTheRulesIsThere() throws Exception {
    Set<String> exposed = metrics("strata_request_duration_seconds_bucket.*(le=\"[^\"]+\").*");
    int count = 0;
    for (String file : RULE_FILES) {
      Matcher buckets =
          Pattern.compile("le=\"[^\"]+\"").matcher(Files.readString(RULES.resolve(file)));
      while (buckets.find()) {
        assertTrue(exposed.contains(buckets.group()), file + ": " + buckets.group());
        count++;
      }
    }
    assertTrue(count > 0, "the objective names a bucket");
  }

  @Test
  @Order(5)
  void everyQueryOfTheDashboardsIsAnswered() throws Exception {
    assumeInstalled("prometheus", "--version");
    List<DashboardQuery> open =
        new ArrayList<>(DashboardQuery.of(ROOT.resolve("deploy/grafana/dashboards")));
    Set<String> exposed = metrics("(\\w+).*");
    for (DashboardQuery query : open) {
      for (String name : query.metrics()) {
        assertTrue(exposed.contains(name), name + ": " + query);
      }
    }
    assertTrue(open.size() > 40, "queries: " + open.size());
    byte[] picture = Files.readAllBytes(BOOT);
    await(
        () -> "answers to " + open,
        () -> {
          classifyAtEveryWidth(picture);
          open.removeIf(query -> !prometheus.ask(query.expression()).isEmpty());
          return open.isEmpty();
        });
  }

  /// Its model's label is empty, and a choice of all models must not mean all that are known.
  @Test
  @Order(5)
  void theOverviewShowsRequestsForModelsThatAreNot() throws Exception {
    assumeInstalled("prometheus", "--version");
    DashboardQuery outcomes =
        DashboardQuery.of(ROOT.resolve("deploy/grafana/dashboards")).stream()
            .filter(query -> query.panel().equals("Requests by outcome"))
            .findFirst()
            .orElseThrow();
    await(
        "model_not_found among the outcomes",
        () -> {
          given().port(port).body("{}").post("/v2/models/nothing/infer").then().statusCode(404);
          return prometheus.ask(outcomes.expression()).stream()
              .anyMatch(sample -> "model_not_found".equals(sample.labels().get("outcome")));
        });
  }

  @Test
  @Order(5)
  void theAlertsFireWhenTheyShould() throws Exception {
    assumeInstalled("promtool", "--version");
    Process test =
        new ProcessBuilder("promtool", "test", "rules", "rules.test.yml")
            .directory(RULES.toFile())
            .redirectErrorStream(true)
            .start();
    String output = new String(test.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, test.waitFor(), output);
  }

  @Test
  @Order(5)
  void everyExampleOfTheApiDocumentWorks() throws Exception {
    assumeInstalled("/usr/bin/python3", "-c", "import grpc, grpc_tools");
    Matcher blocks =
        Pattern.compile("^```(sh|python|java)\n(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL)
            .matcher(Files.readString(ROOT.resolve("docs/api.md")));
    int count = 0;
    while (blocks.find()) {
      String text =
          blocks
              .group(2)
              .replace("localhost:8080", "127.0.0.1:" + port)
              .replace("localhost:9000", "127.0.0.1:" + grpcPort);
      Path file = Files.writeString(work.resolve("Example%d.java".formatted(count++)), text);
      String answer =
          switch (blocks.group(1)) {
            case "sh" -> output("bash", "-euo", "pipefail", file.toString());
            case "python" -> output("/usr/bin/python3", file.toString());
            default ->
                output(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-cp",
                    ROOT.resolve("gateway/target/quarkus-app/lib/main") + "/*",
                    file.toString());
          };
      assertFalse(answer.isEmpty() && !text.contains("mkdir"), text);
    }
    assertEquals(10, count, "examples");
  }

  /// From nothing to served: the figures that training wrote are those that clients get.
  @Test
  @Order(5)
  void aTrainedModelIsServedWithTheAccuraciesOfItsTable() throws Exception {
    assertTrue(System.getenv("CI") == null || Files.exists(CLI), "missing: " + CLI);
    assumeTrue(Files.exists(CLI), "missing: " + CLI);
    Path data = Files.createDirectory(work.resolve("corners"));
    Corners.write(data, "train", 400, 1);
    Corners.write(data, "t10k", 200, 2);
    Path run =
        Files.writeString(
            work.resolve("corners.yaml"),
            """
            name: corners
            threads: 1
            data: {source: idx, path: '%s'}
            architecture: {kind: mlp, channels: 4}
            widths: [8, 4, 2]
            schedule: {epochs: 2, batch: 20, learning-rate: 0.05}
            """
                .formatted(data));
    Path artifact = work.resolve("corners.strata");
    cli("train", run.toString(), "-o", artifact.toString());
    Path version = Files.createDirectories(work.resolve("corners-model/1"));
    Files.copy(artifact, version.resolve("model.strata"));
    Files.move(version.getParent(), work.resolve("repository/corners"));
    await("the trained model", () -> statusOf("/v2/models/corners/ready") == 200);
    JsonPath measured =
        JsonPath.from(
            cli(
                "eval",
                artifact.toString(),
                "--json",
                "--remote",
                "127.0.0.1:" + grpcPort,
                "--data",
                data.resolve("t10k-images-idx3-ubyte.gz").toString(),
                "--labels",
                data.resolve("t10k-labels-idx1-ubyte.gz").toString()));
    JsonPath table = JsonPath.from(cli("inspect", "--json", artifact.toString()));
    for (int bits = 1; bits <= 8; bits++) {
      assertEquals(bits, table.getInt("precisions[%d].bits".formatted(bits - 1)));
      assertEquals(
          table.getDouble("precisions[%d].quality.accuracy".formatted(bits - 1)),
          measured.getDouble("'%d'.accuracy".formatted(bits)),
          "%d bits".formatted(bits));
    }
    assertTrue(measured.getDouble("'8'.accuracy") > 0.8, measured.prettify());
  }

  @Test
  @Order(6)
  void aPoliteSignalEndsTheProcess() throws InterruptedException {
    gateway.destroy();
    assertTrue(gateway.waitFor(20, TimeUnit.SECONDS), "the gateway still runs");
    assertEquals(143, gateway.exitValue());
  }

  private static void classifyAtEveryWidth(byte[] picture) {
    for (int bits = 1; bits <= 8; bits++) {
      classify("fashion", picture, bits);
      classify("cached", picture, bits);
      classify("checked", picture, bits);
    }
  }

  private static Response classify(String model, byte[] picture, int bits) {
    return given()
        .port(port)
        .header("Inference-Header-Content-Length", 0)
        .header("Strata-Bits", bits)
        .accept("application/json")
        .contentType("application/octet-stream")
        .body(picture)
        .post("/v2/models/%s/infer".formatted(model));
  }

  /// @param line a pattern for lines of `/metrics`
  /// @return its first group in all that fit
  private static Set<String> metrics(String line) {
    Pattern pattern = Pattern.compile(line);
    return given()
        .port(port)
        .get("/metrics")
        .asString()
        .lines()
        .map(pattern::matcher)
        .filter(Matcher::matches)
        .map(found -> found.group(1))
        .collect(Collectors.toSet());
  }

  private static Map<String, Double> percentiles() {
    Map<String, Double> byBits = new TreeMap<>();
    if (status(prometheus.port(), "/-/ready") != 200) {
      return byBits;
    }
    prometheus
        .ask(
            "histogram_quantile(0.99, sum by (le, bits) (rate("
                + "strata_request_duration_seconds_bucket{model=\"fashion\",stage=\"total\"}"
                + "[30s])))")
        .forEach(sample -> byBits.put(sample.labels().get("bits"), sample.value()));
    return byBits;
  }

  private static int best(List<Float> scores) {
    return IntStream.range(0, scores.size())
        .reduce((a, b) -> scores.get(b) > scores.get(a) ? b : a)
        .orElseThrow();
  }

  private static int statusOf(String path) {
    if (!gateway.isAlive()) {
      throw new IllegalStateException("the gateway ended: " + log("gateway"));
    }
    return status(port, path);
  }

  private static int status(int at, String path) {
    try {
      return given().port(at).get(path).statusCode();
    } catch (Exception refused) {
      return 0;
    }
  }

  private static void await(String what, BooleanSupplier condition) throws InterruptedException {
    await(() -> what, condition);
  }

  private static void await(Supplier<String> what, BooleanSupplier condition)
      throws InterruptedException {
    long end = System.nanoTime() + START.toNanos();
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < end, () -> "waited in vain for " + what.get());
      Thread.sleep(200);
    }
  }

  /// A tool may be missing on a developer's machine, and may not where CI installs it.
  private static void assumeInstalled(String... command) throws Exception {
    boolean installed;
    try {
      Process probe =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      installed = probe.waitFor() == 0;
    } catch (IOException missing) {
      installed = false;
    }
    if (System.getenv("CI") != null) {
      assertTrue(installed, "missing: " + String.join(" ", command));
    }
    assumeTrue(installed, "missing: " + String.join(" ", command));
  }

  private static Process start(String name, String... command) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(work.resolve(name + ".log").toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    Process process = builder.start();
    STARTED.add(process);
    return process;
  }

  private static String log(String name) {
    try {
      return Files.readString(work.resolve(name + ".log"));
    } catch (IOException gone) {
      return gone.getMessage();
    }
  }

  /// What a command of the packaged command line prints.
  private static String cli(String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dai.djl.offline=true",
                "-cp",
                CLI + ":" + CLI.resolveSibling("lib") + "/*",
                "dev.strata.trainer.cli.StrataCommand"));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).redirectError(work.resolve("cli.log").toFile()).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, process.waitFor(), () -> log("cli"));
    return output;
  }

  private static String output(String... command) throws Exception {
    Process process =
        new ProcessBuilder(command).directory(ROOT.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
