package dev.strata.trainer.accuracy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WrittenPageTest {

  @TempDir private Path folder;

  @Test
  void whatIsNotMeasuredAnewStays() throws IOException {
    Path page = folder.resolve("page.md");
    Files.writeString(
        page,
        """
        # A page

        A word before.

        ## Goals

        | model | bits | figure | goal | found | |
        | --- | --- | --- | --- | --- | --- |
        | a | 8 | accuracy | 0.9000 | 0.91000 | met |
        | b | 8 | accuracy | 0.9000 | 0.80000 | **MISSED** |
        | a | 4 | accuracy | 0.9000 | 0.90000 | met |

        ## a

        Old.

        ## b, trained

        ```yaml
        ## no heading
        ```

        | not | a goal |
        """);
    WrittenPage read = WrittenPage.read(page);
    assertEquals(List.of("a", "b, trained"), List.copyOf(read.sections().keySet()));
    assertEquals("## a\n\nOld.\n", read.sections().get("a"));
    assertEquals(2, read.goals().get("a").size());
    WrittenPage changed = read.with("a", "## a\n\nNew.\n", "a", List.of("| a | 8 | new |\n"));
    assertEquals("## a\n\nNew.\n", changed.sections().get("a"));
    assertEquals(
        "## b, trained\n\n```yaml\n## no heading\n```\n\n| not | a goal |\n",
        changed.sections().get("b, trained"));
    assertEquals(List.of("a", "b"), List.copyOf(changed.goals().keySet()));
    assertEquals(List.of("| a | 8 | new |\n"), changed.goals().get("a"));
    assertEquals(read.goals().get("b"), changed.goals().get("b"));
  }

  @Test
  void aPageThatIsNotThereIsEmpty() throws IOException {
    WrittenPage read = WrittenPage.read(folder.resolve("none.md"));
    assertEquals(List.of(), List.copyOf(read.sections().keySet()));
  }
}
