package dev.strata.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelCommandTest {
  /// Of the residual network's stem, three blocks and classifier.
  private static final long MULTIPLY_ADDS =
      9L * 28 * 28 * 16
          + 2 * 9L * 28 * 28 * 16 * 16
          + 14L * 14 * (9 * 16 * 32 + 9 * 32 * 32 + 16 * 32)
          + 7L * 7 * (9 * 32 * 64 + 9 * 64 * 64 + 32 * 64)
          + 64 * 10;

  @TempDir Path folder;

  @Test
  void theStepsAreTheNetworkAndTheRatiosFollowFromTheTimes() throws IOException {
    Path json = folder.resolve("model.json");
    Path svg = folder.resolve("model.svg");
    Path page =
        Files.writeString(
            folder.resolve("page.md"), "before\n<!-- model fashion -->\n<!-- /model fashion -->\n");
    Benchmarks.Run run =
        Benchmarks.bench(
            "model",
            Benchmarks.FASHION.toString(),
            "--onnx",
            Benchmarks.copied("fm_resnet8.onnx", folder).toString(),
            "--calibration",
            Benchmarks.copied("calibration-images-idx3-ubyte.gz", folder).toString(),
            "--rounds",
            "3",
            "--json",
            json.toString(),
            "--svg",
            svg.toString(),
            "--into",
            page.toString());
    assertEquals(0, run.exitCode(), run.err());
    JsonNode report = Benchmarks.json(json);
    assertRatios(list(report.get("rows")));
    assertSteps(list(report.get("steps")));
    assertTrue(run.out().contains("8 bits: 19 steps take"), run.out());
    String after = Files.readString(page);
    assertTrue(after.startsWith("before\n<!-- model fashion -->\n"), after);
    assertTrue(after.endsWith("\n<!-- /model fashion -->\n"), after);
    assertTrue(after.contains("| 1 x 1 x 28 x 28 | ORT int8 |"), after);
    assertTrue(after.contains(" | the others | "), after);
    Drawings.assertSmallAndWellFormed(svg);
  }

  private static List<JsonNode> list(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).toList();
  }

  private static void assertRatios(List<JsonNode> rows) {
    assertEquals(
        List.of("8 bits", "4 bits", "2 bits", "ORT fp32", "ORT int8"),
        rows.stream().map(row -> row.get("contender").asText()).toList());
    Map<String, Double> millis = new HashMap<>();
    rows.forEach(row -> millis.put(row.get("contender").asText(), row.get("millis").asDouble()));
    for (JsonNode row : rows) {
      for (String peer : List.of("ORT fp32", "ORT int8")) {
        assertEquals(
            millis.get(peer) / row.get("millis").asDouble(),
            row.get("times").get(peer).asDouble(),
            1e-9,
            row::toString);
      }
    }
    assertEquals(0, rows.get(3).get("error").asDouble(), "fp32 against itself");
    assertTrue(rows.get(0).get("error").asDouble() < 0.05, rows.get(0)::toString);
    assertTrue(rows.get(4).get("error").asDouble() < 0.1, rows.get(4)::toString);
  }

  private static void assertSteps(List<JsonNode> steps) {
    Map<Integer, Long> multiplyAdds = new HashMap<>();
    Map<Integer, Long> weightBytes = new HashMap<>();
    for (JsonNode step : steps) {
      int bits = step.get("bits").asInt();
      multiplyAdds.merge(bits, step.get("multiplyAdds").asLong(), Long::sum);
      assertTrue(step.get("micros").asDouble() > 0, step::toString);
      assertTrue(step.get("leastMicros").asDouble() > 0, step::toString);
      if (step.get("node").asText().equals("/blocks/blocks.0/c1/Conv")) {
        weightBytes.merge(bits, step.get("weightBytes").asLong(), Long::sum);
      }
    }
    assertEquals(Map.of(8, MULTIPLY_ADDS, 4, MULTIPLY_ADDS, 2, MULTIPLY_ADDS), multiplyAdds);
    assertEquals(weightBytes.get(8), 2 * weightBytes.get(4));
    assertEquals(weightBytes.get(8), 4 * weightBytes.get(2));
  }

  @Test
  void twoThreadsAreComparedWithOne() throws IOException {
    Path json = folder.resolve("threads.json");
    Benchmarks.Run run =
        Benchmarks.bench(
            "model",
            Benchmarks.FASHION.toString(),
            "--bits",
            "1",
            "--threads",
            "1,2",
            "--rounds",
            "1",
            "--json",
            json.toString());
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(
        List.of("1 bits", "1 bits, 2 threads"),
        list(Benchmarks.json(json).get("rows")).stream()
            .map(row -> row.get("contender").asText())
            .toList());
  }

  @Test
  void whatCannotBeMeasuredIsNamed() {
    String file = Benchmarks.FASHION.toString();
    Benchmarks.Run threads = Benchmarks.bench("model", file, "--threads", "0");
    assertEquals(2, threads.exitCode());
    assertTrue(threads.err().contains("--threads"), threads.err());
    Benchmarks.Run text = Benchmarks.bench("model", file, "--rounds", "1", "--text", "a coat");
    assertEquals(2, text.exitCode());
    assertTrue(text.err().contains("--image"), text.err());
  }
}
