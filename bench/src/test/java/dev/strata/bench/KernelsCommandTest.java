package dev.strata.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelsCommandTest {
  private static final int MULTIPLY_ADDS = 1024 * 1024;

  @TempDir Path folder;

  @Test
  void everyRowsRateAndTimeGiveItsMultiplyAdds() throws IOException {
    Path json = folder.resolve("kernels.json");
    Path svg = folder.resolve("kernels.svg");
    Path document =
        Files.writeString(
            folder.resolve("page.md"), "before\n<!-- kernels -->\nold\n<!-- /kernels -->\nafter\n");
    Benchmarks.Run run =
        Benchmarks.bench(
            "kernels",
            "--quick",
            "--only",
            "product 1 x 1024",
            "--json",
            json.toString(),
            "--svg",
            svg.toString(),
            "--into",
            document.toString());
    assertEquals(0, run.exitCode(), run.err());
    JsonNode rows = Benchmarks.json(json).get("rows");
    assertEquals(8, rows.size());
    for (JsonNode row : rows) {
      assertEquals(
          MULTIPLY_ADDS,
          row.get("micros").asDouble() * row.get("gigaMultiplyAdds").asDouble() * 1e3,
          1,
          row::toString);
      assertEquals(5, row.get("peerMicros").size(), row::toString);
      assertTrue(run.out().contains(row.get("path").asText()), run.out());
    }
    String after = Files.readString(document);
    assertTrue(after.contains("| 1 x 1024 x 1024 | stream w4a8 | warm | "), after);
    assertTrue(after.startsWith("before\n<!-- kernels -->\n"), after);
    assertTrue(after.endsWith("\n<!-- /kernels -->\nafter\n"), after);
    assertTrue(!after.contains("old"), after);
    Drawings.assertSmallAndWellFormed(svg);
  }

  @Test
  void aGroupThatNobodyHasIsAnError() {
    Benchmarks.Run run = Benchmarks.bench("kernels", "--only", "no such shape");
    assertEquals(2, run.exitCode());
    assertTrue(run.err().contains("--only: got 'no such shape'"), run.err());
  }
}
