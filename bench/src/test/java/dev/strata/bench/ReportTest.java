package dev.strata.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.trainer.cli.CommandFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
  private static final String BEFORE =
      "# Page\n\n<!-- b -->\nkept\n<!-- /b -->\n<!-- a -->\nold\n<!-- /a -->\nthe end";

  @TempDir Path folder;

  @Test
  void onlyWhatStandsInTheMarkedPlaceChanges() throws IOException {
    Path page = Files.writeString(folder.resolve("page.md"), BEFORE);
    Report.write(page, "a", Report.table(List.of("x", "y"), List.of(List.of("1", "2"))));
    assertEquals(
        BEFORE.replace("old", "\n| x | y |\n| --- | --- |\n| 1 | 2 |\n"), Files.readString(page));
  }

  @Test
  void aDocumentWithoutThePlaceStaysAsItIs() throws IOException {
    Path page = Files.writeString(folder.resolve("page.md"), BEFORE);
    CommandFailure failure =
        assertThrows(CommandFailure.class, () -> Report.write(page, "c", "text"));
    assertTrue(failure.getMessage().contains("no place marked 'c'"), failure.getMessage());
    assertEquals(BEFORE, Files.readString(page));
  }
}
