package dev.strata.loadtest.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.strata.loadtest.scenario.InvalidScenarioException;
import java.io.IOException;
import java.nio.file.Path;

/// Figures on disk.
public final class ReportFiles {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private ReportFiles() {}

  public static void write(Path file, RunSummary summary) throws IOException {
    JSON.writeValue(file.toFile(), summary);
  }

  public static void write(Path file, KneeFigures figures) throws IOException {
    JSON.writeValue(file.toFile(), figures);
  }

  public static RunSummary read(Path file) throws IOException {
    try {
      return JSON.readValue(file.toFile(), RunSummary.class);
    } catch (com.fasterxml.jackson.core.JsonProcessingException broken) {
      throw new InvalidScenarioException(
          "%s: got %s, expected a file written by --json"
              .formatted(file, broken.getOriginalMessage()));
    }
  }
}
