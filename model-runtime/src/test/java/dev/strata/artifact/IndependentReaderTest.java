package dev.strata.artifact;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.strata.precision.Bits;
import dev.strata.testing.TinyModel;
import dev.strata.testing.TinyModels;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A reader that knows safetensors and nothing of this project reads an artifact.
final class IndependentReaderTest {
  @TempDir Path folder;

  @Test
  void aPlainSafetensorsReaderFindsTheSameTensors() throws Exception {
    assumeTrue(pythonRuns(), "python3 is not installed; the independent reader was not run");
    try (TinyModel model = TinyModels.withSeed(7)) {
      Path whole = model.writeTo(folder.resolve("model.strata"));
      Path slice = folder.resolve("slice.strata");
      ArtifactSlicer.slice(whole, new Bits(3), slice);
      for (Path file : List.of(whole, slice)) {
        assertEquals(readByJava(file), readByPython(file));
      }
    }
  }

  private static boolean pythonRuns() throws InterruptedException {
    try {
      return new ProcessBuilder("python3", "--version").start().waitFor() == 0;
    } catch (IOException notInstalled) {
      return false;
    }
  }

  private static List<String> readByJava(Path file) throws IOException {
    List<String> lines = new ArrayList<>();
    try (ModelArtifact artifact = ModelArtifact.open(file)) {
      for (StoredTensor tensor : artifact.tensors()) {
        if (!tensor.isPadding()) {
          MessageDigest digest = HeaderHash.sha256();
          HeaderHash.update(digest, artifact.get(tensor.name()));
          lines.add(
              "%s %s %s %d %s"
                  .formatted(
                      tensor.name(),
                      tensor.type(),
                      tensor.shape().toString().replace(" ", ""),
                      tensor.offset(),
                      HeaderHash.hex(digest)));
        }
      }
    }
    return lines;
  }

  private static List<String> readByPython(Path file)
      throws IOException, URISyntaxException, InterruptedException {
    Path script = Path.of(IndependentReaderTest.class.getResource("/read_safetensors.py").toURI());
    Process python =
        new ProcessBuilder("python3", script.toString(), file.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String output = new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, python.waitFor(), "exit code of read_safetensors.py");
    JsonNode json = new JsonMapper().readTree(output);
    assertEquals(
        "[\"strata.format\",\"strata.header_sha256\",\"strata.model\",\"strata.prefix\"]",
        json.get("metadata").toString());
    List<String> lines = new ArrayList<>();
    for (JsonNode tensor : json.get("tensors")) {
      if (!tensor.get("name").textValue().startsWith(StoredTensor.PADDING_PREFIX)) {
        lines.add(
            "%s %s %s %d %s"
                .formatted(
                    tensor.get("name").textValue(),
                    tensor.get("dtype").textValue(),
                    tensor.get("shape"),
                    tensor.get("offset").longValue(),
                    tensor.get("sha256").textValue()));
      }
    }
    return lines;
  }
}
