package dev.strata.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Holds the gateway's package arrows. What a request passes through knows no protocol, and
/// registry, policy, scheduling and cache do not know one another.
class DependencyDirectionTest {

  private static final String ROOT = "";

  private static final Map<String, Set<String>> MAY_USE =
      Map.ofEntries(
          Map.entry("call", Set.of()),
          Map.entry("cache", Set.of("call")),
          Map.entry("policy", Set.of("call")),
          Map.entry("scheduling", Set.of("call")),
          Map.entry("registry", Set.of("call")),
          Map.entry("metrics", Set.of("call", "registry", "scheduling")),
          Map.entry(ROOT, Set.of("call", "cache", "policy", "scheduling", "registry", "metrics")),
          Map.entry("health", Set.of("call", "registry", "scheduling", ROOT)),
          Map.entry("security", Set.of(ROOT)),
          Map.entry("transport", Set.of("security", ROOT)),
          Map.entry("console", Set.of("call", "registry", "scheduling", "metrics", ROOT)),
          Map.entry("api", Set.of("call", "registry", "metrics", "transport", ROOT)));

  private static final Pattern IMPORT =
      Pattern.compile(
          "^import (?:static )?dev\\.strata\\.gateway\\.(?:(\\w+)\\.)?", Pattern.MULTILINE);

  @Test
  void everyPackageUsesOnlyWhatItMay() throws IOException {
    Path root = Path.of("src/main/java/dev/strata/gateway");
    List<Path> sources;
    try (Stream<Path> files = Files.walk(root)) {
      sources = files.filter(file -> file.toString().endsWith(".java")).toList();
    }
    assertFalse(sources.isEmpty(), "found no sources under " + root.toAbsolutePath());
    List<String> wrong = new ArrayList<>();
    for (Path source : sources) {
      Path inside = root.relativize(source);
      String from = inside.getNameCount() == 1 ? ROOT : inside.getName(0).toString();
      Matcher imports = IMPORT.matcher(Files.readString(source));
      while (imports.find()) {
        String to = imports.group(1) == null ? ROOT : imports.group(1);
        if (!to.equals(from) && !MAY_USE.getOrDefault(from, Set.of()).contains(to)) {
          wrong.add(inside + " uses " + (to.isEmpty() ? "the root package" : to));
        }
      }
    }
    assertEquals(List.of(), wrong);
  }
}
