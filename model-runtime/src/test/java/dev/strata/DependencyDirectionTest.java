package dev.strata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Holds the package arrows of ARCHITECTURE.md: a package uses only those before it.
class DependencyDirectionTest {
  private static final List<String> ORDER =
      List.of("precision", "graph", "artifact", "kernel", "plan", "processing", "model");

  private static final Pattern IMPORT =
      Pattern.compile("^import (?:static )?dev\\.strata\\.(\\w+)\\.", Pattern.MULTILINE);

  @Test
  void everyPackageUsesOnlyThoseBeforeIt() throws IOException {
    Path root = Path.of("src/main/java/dev/strata");
    List<Path> sources;
    try (Stream<Path> files = Files.walk(root)) {
      sources = files.filter(file -> file.toString().endsWith(".java")).toList();
    }
    assertFalse(sources.isEmpty(), "found no sources under " + root.toAbsolutePath());
    List<String> wrong = new ArrayList<>();
    for (Path source : sources) {
      String from = root.relativize(source).getName(0).toString();
      Matcher imports = IMPORT.matcher(Files.readString(source));
      while (imports.find()) {
        String to = imports.group(1);
        if (ORDER.indexOf(to) < 0 || ORDER.indexOf(from) < ORDER.indexOf(to)) {
          wrong.add(source + " imports " + to);
        }
      }
    }
    assertEquals(List.of(), wrong);
  }
}
