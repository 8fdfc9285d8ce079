package dev.strata.gateway.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ServedModel;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import dev.strata.testing.TinyModel;
import dev.strata.testing.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelRepositoryTest {

  @TempDir Path directory;
  private ModelRegistry registry;
  private ModelRepository repository;

  @BeforeEach
  void watchTheDirectory() {
    registry = new ModelRegistry();
    repository = new ModelRepository(List.of(directory), registry);
  }

  @Test
  void theNewestVersionAnswersUnlessAnotherIsNamed() throws IOException {
    put("tiny", "1", 1);
    put("tiny", "9", 9);
    put("tiny", "10", 10);
    assertTrue(repository.refresh());
    assertFalse(repository.refresh(), "nothing has changed since");
    assertEquals("10", registry.card("tiny", Optional.empty()).version());
    assertEquals("9", registry.card("tiny", Optional.of("9")).version());
    assertEquals(List.of("1", "9", "10"), registry.readyVersions("tiny"));
  }

  @Test
  void whatIsAnnouncedIsKnownButNotReady() throws IOException {
    put("tiny", "1", 1);
    repository.announce();
    assertEquals(ErrorCode.MODEL_NOT_READY, refusal("tiny", Optional.empty()).code());
  }

  @Test
  void unknownNamesAndVersionsAreToldApartFromWhatThereIs() throws IOException {
    put("tiny", "1", 1);
    repository.refresh();
    assertEquals(ErrorCode.MODEL_NOT_FOUND, refusal("huge", Optional.empty()).code());
    for (String version : List.of("2", "01", "one", "-1", "99999999999999999999")) {
      InferenceException refused = refusal("tiny", Optional.of(version));
      assertEquals(ErrorCode.MODEL_NOT_FOUND, refused.code());
      assertTrue(refused.getMessage().contains("expected one of [1]"), refused.getMessage());
    }
  }

  @Test
  void aDamagedFileIsNotServedAndSaysWhy() throws IOException {
    Path file = put("tiny", "1", 1);
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 1] ^= 1;
    Files.write(file, bytes);
    put("tiny", "2", 2);
    repository.refresh();
    assertEquals("2", registry.card("tiny", Optional.empty()).version());
    InferenceException refused = refusal("tiny", Optional.of("1"));
    assertEquals(ErrorCode.MODEL_NOT_READY, refused.code());
    assertInstanceOf(ModelState.Failed.class, registry.entries().getFirst().state());
  }

  @Test
  void aDamagedReplacementLeavesTheOldOneServing() throws IOException {
    Path file = put("tiny", "1", 1);
    repository.refresh();
    ServedModel before = leased();
    Path damaged = Files.writeString(directory.resolve("damaged"), "not an artifact");
    Files.move(damaged, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    repository.refresh();
    assertEquals(before, leased());
  }

  @Test
  void aReplacedModelAnswersItsLeasesToTheEnd() throws IOException {
    put("tiny", "1", 1);
    repository.refresh();
    Map<String, Tensor> inputs = Map.of("x", Tensor.of(Shape.of(1, 16), new float[16]));
    try (ModelLease old = registry.lease("tiny", Optional.empty());
        ServedModel.Session session = old.model().newSession()) {
      put("tiny", "1", 2);
      repository.refresh();
      assertTrue(old.model().retired());
      assertEquals(4, session.run(new Bits(8), inputs).get("y").toFloats().length);
      assertNotSame(old.model(), leased());
    }
  }

  @Test
  void whatIsRemovedFromDiskIsGone() throws IOException {
    Path file = put("tiny", "1", 1);
    repository.refresh();
    Files.delete(file);
    assertTrue(repository.refresh());
    assertEquals(ErrorCode.MODEL_NOT_FOUND, refusal("tiny", Optional.empty()).code());
    assertEquals(List.of(), registry.entries());
  }

  @Test
  void namesThatCannotBeAskedForAreIgnored() throws IOException {
    put("stats", "1", 1);
    put("with space", "1", 1);
    put(".unfinished", "1", 1);
    put("tiny", "0", 1);
    put("tiny", "v1", 1);
    assertFalse(repository.refresh());
    assertEquals(List.of(), registry.entries());
  }

  private ServedModel leased() {
    try (ModelLease lease = registry.lease("tiny", Optional.empty())) {
      return lease.model();
    }
  }

  private InferenceException refusal(String name, Optional<String> version) {
    return assertThrows(InferenceException.class, () -> registry.lease(name, version));
  }

  private Path put(String name, String version, long seed) throws IOException {
    Path folder = Files.createDirectories(directory.resolve(name).resolve(version));
    try (TinyModel model = TinyModels.withSeed(seed)) {
      return model.writeTo(folder.resolve("model.strata"));
    }
  }
}
