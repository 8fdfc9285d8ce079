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

/// Holds the gateway's arrows: the core never knows a protocol, and registry, policy and scheduling do
/// not know one another.
class DependencyDirectionTest {
  private static final Pattern IMPORT =
      Pattern.compile("^import (?:static )?dev\\.strata\\.gateway\\.(\\w+)\\.", Pattern.MULTILINE);

  /// What each core package may import besides itself.
  private static final Map<String, Set<String>> ALLOWED =
      Map.of(
          "call", Set.of(),
          "registry", Set.of("call"),
          "policy", Set.of("call"),
          "scheduling", Set.of("call"));

  @Test
  void theCoreLooksOneWay() throws IOException {
    Path root = Path.of("src/main/java/dev/strata/gateway");
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
        boolean intoProtocol = to.equals("api") && !from.equals("api");
        boolean sideways =
            ALLOWED.containsKey(from) && !to.equals(from) && !ALLOWED.get(from).contains(to);
        if (intoProtocol || sideways) {
          wrong.add(source + " imports " + to);
        }
      }
    }
    assertEquals(List.of(), wrong);
  }
}
