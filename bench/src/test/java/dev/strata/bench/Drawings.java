package dev.strata.bench;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.xml.parsers.DocumentBuilderFactory;

/// What a drawing must be so that a document can have it.
final class Drawings {
  private static final long MOST_BYTES = 60_000;

  private Drawings() {}

  static void assertSmallAndWellFormed(Path svg) throws IOException {
    long bytes = Files.size(svg);
    assertTrue(bytes < MOST_BYTES, () -> svg + " has " + bytes + " bytes");
    assertDoesNotThrow(
        () -> DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(svg.toFile()));
    assertTrue(!Files.readString(svg).contains("NaN"));
  }
}
