package dev.strata.gateway.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.gateway.call.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Names that stand for versions.
@Timeout(60)
class LabelTest {

  @TempDir Path directory;
  private TestRepository models;

  @BeforeEach
  void watchTheDirectory() throws IOException {
    models = new TestRepository(ModelRepository.Options.of(directory));
  }

  @AfterEach
  void close() {
    models.close();
  }

  @Test
  void aLabelAnswersWhereAVersionIsNamed() throws IOException {
    models.settings("tiny", "labels: {stable: 1, canary: 2}\n");
    models.put("tiny", 1, 1);
    models.put("tiny", 2, 2);
    models.put("tiny", 3, 3);
    models.refresh();
    assertEquals("1", version("stable"));
    assertEquals("2", version("canary"));
    assertEquals("3", models.card("tiny").version(), "labels keep versions besides the newest");
    assertEquals(
        List.of(List.of("stable"), List.of("canary"), List.of()),
        models.registry.entries().stream().map(ModelRegistry.Entry::labels).toList());
    assertTrue(
        models
            .refusal("tiny", Optional.of("beta"))
            .getMessage()
            .endsWith("got 'beta', expected one of [1, 2, 3] or of the labels [canary, stable]"));
  }

  @Test
  void aLabelStaysUntilItsNewVersionAnswers() throws IOException {
    models.settings("tiny", "labels: {stable: 1}\n");
    models.put("tiny", 1, 1);
    models.refresh();
    Path second = models.put("tiny", 2, 2);
    byte[] bytes = Files.readAllBytes(second);
    Files.write(second, java.util.Arrays.copyOf(bytes, bytes.length - 1));
    models.settings("tiny", "labels: {stable: 2}\n");
    models.refresh();
    assertEquals("1", version("stable"), "the new version lacks a width");
    Files.write(second, bytes);
    models.refresh();
    assertEquals("2", version("stable"));
    assertEquals(List.of("2"), models.registry.readyVersions("tiny"));
  }

  @Test
  void aLabelOfNoVersionIsAnErrorAndChangesNothing() throws IOException {
    models.settings("tiny", "labels: {stable: 1}\n");
    models.put("tiny", 1, 1);
    models.refresh();
    models.settings("tiny", "labels: {stable: 7}\n");
    models.refresh();
    assertEquals("1", version("stable"));
    assertTrue(
        ((ModelState.Ready) models.state("tiny", 1))
            .note()
            .contains("model.yaml: labels.stable: got version 7, expected one of [1]"));
  }

  @Test
  void labelsMoveAllAtOnceAndNoRequestFallsBetween() throws Exception {
    String before = "labels: {stable: 1, canary: 2}\n";
    String after = "labels: {stable: 2, canary: 1}\n";
    models.settings("tiny", before);
    models.put("tiny", 1, 1);
    models.put("tiny", 2, 2);
    models.refresh();
    AtomicBoolean done = new AtomicBoolean();
    Set<Map<String, Long>> seen = java.util.concurrent.ConcurrentHashMap.newKeySet();
    try (ExecutorService callers = Executors.newFixedThreadPool(2)) {
      Future<?> looking =
          callers.submit(
              () -> {
                while (!done.get()) {
                  seen.add(models.registry.labels("tiny"));
                }
              });
      Future<?> asking =
          callers.submit(
              () -> {
                while (!done.get()) {
                  version("stable");
                  version("canary");
                }
              });
      for (int move = 0; move < 50; move++) {
        models.settings("tiny", move % 2 == 0 ? after : before);
        models.refresh();
        assertEquals(move % 2 == 0 ? "2" : "1", version("stable"));
      }
      done.set(true);
      asking.get();
      looking.get();
    }
    Set<Long> pairs = new TreeSet<>();
    seen.forEach(labels -> pairs.add(labels.get("stable") * 10 + labels.get("canary")));
    assertEquals(Set.of(12L, 21L), pairs);
  }

  @Test
  void withoutALabelTheNameIsUnknown() throws IOException {
    models.put("tiny", 1, 1);
    models.refresh();
    assertEquals(ErrorCode.MODEL_NOT_FOUND, models.refusal("tiny", Optional.of("stable")).code());
  }

  private String version(String label) {
    return models.registry.card("tiny", Optional.of(label)).version();
  }
}
