package dev.strata.gateway.protocol;

import static io.restassured.RestAssured.given;

import dev.strata.artifact.ArtifactWriter;
import dev.strata.artifact.ModelArtifact;
import dev.strata.graph.ConfidenceCascade;
import dev.strata.graph.ModelDescription;
import dev.strata.precision.Bits;
import dev.strata.testing.TinyModel;
import dev.strata.testing.TinyModels;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A repository directory for the running app: `tiny` in two versions, `conv`, `slow`, the
/// classifiers `sure` and `unsure`, and `broken`, which is no artifact. Limits are small, so that
/// tests can cross them.
public class TinyRepository implements QuarkusTestResourceLifecycleManager {

  static final long FIRST_SEED = 7;
  static final long SECOND_SEED = 8;

  /// Enough layers for 64 rows to take a good many milliseconds.
  static final int SLOW_DEPTH = 2000;

  static final int WORKERS = 2;
  static final int MAX_BYTES = 256 << 10;
  static final int MAX_ROWS = 64;

  private Path directory;

  @Override
  public Map<String, String> start() {
    try {
      directory = Files.createTempDirectory("strata-repository");
      write(TinyModels.withSeed(FIRST_SEED), "tiny", "1");
      write(TinyModels.withSeed(SECOND_SEED), "tiny", "2");
      Files.writeString(directory.resolve("tiny/model.yaml"), "version-policy: all\n");
      write(TinyModels.convNet(FIRST_SEED), "conv", "1");
      Files.writeString(
          directory.resolve("conv/model.yaml"),
          """
          batching: {max-rows: 4, max-delay: 2ms, preferred-rows: [2, 4]}
          cache-bytes: 4096
          """);
      write(TinyModels.deep(FIRST_SEED, SLOW_DEPTH), "slow", "1");
      cascade("sure", 0);
      cascade("unsure", 1);
      Files.writeString(file("broken", "1"), "not an artifact");
      return Map.of(
          "strata.repositories", directory.toString(),
          "strata.repository-poll", "50ms",
          "strata.limits.message-bytes", Integer.toString(MAX_BYTES),
          "strata.scheduling.workers", Integer.toString(WORKERS),
          "strata.limits.rows", Integer.toString(MAX_ROWS),
          "strata.grpc.port", Integer.toString(freePort()),
          "strata.shutdown.delay", "0s");
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /// Waits until the server has loaded what it can of the repository.
  static void awaitLoaded() throws InterruptedException {
    while (given().get("/v2/health/ready").statusCode() != 200) {
      Thread.sleep(20);
    }
  }

  @Override
  public void stop() {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /// A classifier that asks 6 bits where 2 bits have a margin under the threshold.
  private void cascade(String name, double threshold) throws IOException {
    write(TinyModels.classifier(FIRST_SEED), name, "1");
    ModelDescription description;
    try (ModelArtifact artifact = ModelArtifact.open(file(name, "1"))) {
      description = artifact.description();
    }
    ArtifactWriter.describe(
        file(name, "1"),
        description,
        Optional.of(new ConfidenceCascade(new Bits(2), new Bits(6), threshold, 1, 1)),
        file(name, "1"));
  }

  private void write(TinyModel model, String name, String version) throws IOException {
    try (model) {
      model.writeTo(file(name, version));
    }
  }

  private Path file(String name, String version) throws IOException {
    Path folder = Files.createDirectories(directory.resolve(name).resolve(version));
    return folder.resolve("model.strata");
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
