package dev.strata.trainer.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.strata.trainer.data.IdxFiles;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A trained model through the commands. The class of an image is its bright corner.
class TrainCommandTest {
  private static final int SIDE = 8;
  private static final int TESTED = 100;

  @TempDir private static Path folder;

  private static String artifact;

  @BeforeAll
  static void train() throws IOException {
    write("train", 200, 1);
    write("t10k", TESTED, 2);
    Path run =
        Files.writeString(
            folder.resolve("corners.yaml"),
            """
            name: corners
            threads: 1
            data: {source: idx, path: '%s'}
            architecture: {kind: mlp, channels: 4}
            widths: [8, 4, 2]
            schedule: {epochs: 3, batch: 20, learning-rate: 0.05}
            """
                .formatted(folder));
    artifact = folder.resolve("corners.strata").toString();
    strata("train", run.toString(), "-o", artifact);
  }

  @Test
  void widthsThatWereNotTrainedAreMarked() throws IOException {
    Set<Integer> untrained = new TreeSet<>();
    for (JsonNode row : inspected()) {
      if (row.get("untrained").asBoolean()) {
        untrained.add(row.get("bits").asInt());
      }
    }
    assertEquals(Set.of(1, 3, 5, 6, 7), untrained);
    String text = strata("inspect", artifact);
    assertTrue(text.contains("7 untrained") && !text.contains("8 untrained"), text);
  }

  @Test
  void evalWithoutAFloatNetworkGivesTheTableOfTheArtifact() throws IOException {
    JsonNode measured =
        new ObjectMapper()
            .readTree(
                strata(
                    "eval",
                    artifact,
                    "--data",
                    folder.resolve("t10k-images-idx3-ubyte.gz").toString(),
                    "--labels",
                    folder.resolve("t10k-labels-idx1-ubyte.gz").toString(),
                    "--dry-run",
                    "--json"));
    assertFalse(measured.has("fp32"));
    for (JsonNode row : inspected()) {
      JsonNode quality = measured.get(row.get("bits").asText());
      assertEquals(row.get("quality"), quality);
      if (row.get("bits").asInt() == 8) {
        assertTrue(quality.get("accuracy").asDouble() > 0.9, measured.toPrettyString());
      }
    }
  }

  @Test
  void evalNeedsSomethingToCompareWith() {
    StringWriter err = new StringWriter();
    int exitCode =
        StrataCommand.run(
            new PrintWriter(new StringWriter()),
            new PrintWriter(err),
            "eval",
            artifact,
            "--data",
            folder.resolve("t10k-images-idx3-ubyte.gz").toString());
    assertEquals(ExitCode.USAGE, exitCode);
    assertTrue(err.toString().contains("--reference and --labels: got neither"), err.toString());
  }

  private static JsonNode inspected() throws IOException {
    return new ObjectMapper().readTree(strata("inspect", "--json", artifact)).get("precisions");
  }

  private static String strata(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exitCode = StrataCommand.run(new PrintWriter(out), new PrintWriter(err), arguments);
    assertEquals(ExitCode.OK, exitCode, err.toString());
    return out.toString();
  }

  private static void write(String part, int count, long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    IdxFiles.write(
        folder,
        part,
        count,
        SIDE,
        _ -> random.nextInt(4),
        (label, x, y) ->
            random.nextInt(130) + (2 * (2 * y / SIDE) + 2 * x / SIDE == label ? 100 : 0));
  }
}
