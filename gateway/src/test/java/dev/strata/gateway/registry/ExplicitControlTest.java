package dev.strata.gateway.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ServedModel;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Models that come and go on demand.
@Timeout(60)
class ExplicitControlTest {

  @TempDir Path directory;
  private TestRepository models;

  @BeforeEach
  void openTheRepository() throws IOException {
    models = repository(List.of());
  }

  private TestRepository repository(List<String> atStart) throws IOException {
    return new TestRepository(
        new ModelRepository.Options(
            List.of(directory),
            ModelRepository.Control.EXPLICIT,
            atStart,
            Optional.empty(),
            Long.MAX_VALUE,
            MemoryBudget.NO_LIMIT,
            Duration.ZERO,
            SignaturePolicy.NONE,
            1,
            Duration.ofSeconds(1)));
  }

  @AfterEach
  void close() {
    models.close();
  }

  @Test
  void nothingIsLoadedUntilItIsAskedFor() throws IOException {
    models.put("tiny", 1, 1);
    models.repository.start().join();
    models.refresh();
    assertEquals(
        List.of(new ModelRegistry.Entry("tiny", "", new ModelState.Known(), List.of())),
        models.registry.entries());
    assertTrue(models.refusal("tiny", Optional.empty()).getMessage().endsWith("is not loaded"));
    models.repository.load("tiny").join();
    assertEquals(8, models.widths("tiny"));
    models.put("tiny", 2, 2);
    models.refresh();
    assertEquals("1", models.card("tiny").version(), "changes wait for a call");
    models.repository.load("tiny").join();
    assertEquals("2", models.card("tiny").version());
    assertEquals(List.of("2"), models.registry.readyVersions("tiny"));
  }

  @Test
  void whatTheStartNamesIsLoadedAtTheStart() throws IOException {
    models.put("first", 1, 1);
    models.put("second", 1, 2);
    try (TestRepository some = repository(List.of("first"));
        TestRepository all = repository(List.of("*"))) {
      some.repository.start().join();
      assertEquals(8, some.widths("first"));
      assertEquals(ErrorCode.MODEL_NOT_READY, some.refusal("second", Optional.empty()).code());
      all.repository.start().join();
      assertEquals(8, all.widths("second"));
    }
  }

  @Test
  void unloadingWaitsForWhoUsesTheModelAndTakesNobodyNew() throws IOException {
    models.put("tiny", 1, 1);
    models.repository.load("tiny").join();
    try (ModelLease lease = models.registry.lease("tiny", Optional.empty());
        ServedModel.Session session = lease.model().newSession()) {
      models.repository.unload("tiny").join();
      assertInstanceOf(ModelState.Unloading.class, models.state("tiny", 1));
      InferenceException refused = models.refusal("tiny", Optional.empty());
      assertEquals(ErrorCode.MODEL_NOT_READY, refused.code());
      assertTrue(refused.getMessage().endsWith("has been unloaded"), refused.getMessage());
      Map<String, Tensor> inputs = Map.of("x", Tensor.of(Shape.of(1, 16), new float[16]));
      assertEquals(4, TestRepository.answer(session, new Bits(8), inputs).length);
    }
    assertInstanceOf(ModelState.Unloaded.class, models.state("tiny", 1));
    assertEquals(0, models.repository.residentBytes());
    models.repository.load("tiny").join();
    assertEquals(8, models.widths("tiny"));
  }

  @Test
  void aLoadThatFailsSaysWhyAndTheOldOneServes() throws IOException {
    models.put("tiny", 1, 1);
    models.repository.load("tiny").join();
    Path second = models.put("tiny", 2, 2);
    byte[] bytes = Files.readAllBytes(second);
    bytes[bytes.length / 2] ^= 1;
    Files.write(second, bytes);
    InferenceException refused = refusal(models.repository.load("tiny"));
    assertEquals(ErrorCode.MODEL_NOT_READY, refused.code());
    assertTrue(refused.getMessage().contains("could not be loaded"), refused.getMessage());
    assertEquals("1", models.card("tiny").version());
    bytes[bytes.length / 2] ^= 1;
    Files.write(second, bytes);
    models.repository.load("tiny").join();
    assertEquals("2", models.card("tiny").version());
  }

  @Test
  void callsThatMakeNoSenseAreRefused() throws IOException {
    models.put("tiny", 1, 1);
    for (String name : List.of("huge", "", "../tiny", "tiny/1")) {
      assertEquals(ErrorCode.MODEL_NOT_FOUND, refusal(models.repository.load(name)).code());
      assertEquals(ErrorCode.MODEL_NOT_FOUND, refusal(models.repository.unload(name)).code());
    }
    models.settings("empty", "labels: {}\n");
    assertTrue(refusal(models.repository.load("empty")).getMessage().contains("no version of it"));
    models.settings("wrong", "versions: 1\n");
    assertTrue(
        refusal(models.repository.load("wrong")).getMessage().contains("versions: unknown key"));
    try (TestRepository polled = new TestRepository(ModelRepository.Options.of(directory))) {
      for (CompletableFuture<Void> call :
          List.of(polled.repository.load("tiny"), polled.repository.unload("tiny"))) {
        InferenceException refused = refusal(call);
        assertEquals(ErrorCode.NOT_OFFERED, refused.code());
        assertTrue(refused.getMessage().contains("got strata.model-control=poll"));
      }
    }
  }

  @Test
  void aModelMayBeUnloadedWhileItLoads() throws IOException {
    for (int round = 0; round < 20; round++) {
      models.put("tiny", 1, round);
      CompletableFuture<Void> load = models.repository.load("tiny");
      TestRepository.await(
          () ->
              models.registry.entries().stream()
                  .map(ModelRegistry.Entry::state)
                  .anyMatch(
                      state ->
                          state instanceof ModelState.Loading
                              || state instanceof ModelState.Ready));
      models.repository.unload("tiny").join();
      try {
        load.join();
      } catch (CompletionException cancelled) {
        assertTrue(cancelled.getMessage().contains("cancelled"), cancelled.getMessage());
      }
      models.settle();
      assertFalse(models.registry.isReady("tiny", Optional.empty()));
      assertEquals(0, models.repository.residentBytes());
    }
  }

  private static InferenceException refusal(CompletableFuture<Void> call) {
    CompletionException failed = assertThrows(CompletionException.class, call::join);
    return assertInstanceOf(InferenceException.class, failed.getCause());
  }
}
