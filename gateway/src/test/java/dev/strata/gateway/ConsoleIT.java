package dev.strata.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// The console in a real browser: `src/test/console` starts the packaged gateway and looks.
final class ConsoleIT {

  private static final Path TESTS = Path.of("src/test/console");

  @Test
  void theConsoleWorksInABrowser() throws Exception {
    boolean installed =
        Files.isDirectory(TESTS.resolve("node_modules"))
            && Files.isExecutable(Path.of("/usr/bin/chromium"));
    assertTrue(installed || System.getenv("CI") == null, "chromium or node_modules is missing");
    assumeTrue(installed, "chromium or node_modules is missing");
    ProcessBuilder tests =
        new ProcessBuilder("node", "--test", "--test-timeout=120000", "console.test.mjs")
            .directory(TESTS.toFile())
            .redirectErrorStream(true);
    tests.environment().put("JAVA_HOME", System.getProperty("java.home"));
    Process process = tests.start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, process.waitFor(), output);
  }
}
