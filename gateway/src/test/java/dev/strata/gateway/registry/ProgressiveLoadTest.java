package dev.strata.gateway.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.artifact.ModelArtifact;
import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.ServedModel;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import dev.strata.testing.TinyModel;
import dev.strata.testing.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A model that comes over a slow link and serves before it is complete.
@Timeout(60)
class ProgressiveLoadTest {

  private static final Map<String, Tensor> INPUTS =
      Map.of("x", Tensor.of(Shape.of(1, 16), new float[16]));

  @TempDir Path directory;
  @TempDir Path elsewhere;
  private byte[] bytes;
  private long[] ends;
  private ThrottledServer server;
  private TestRepository models;

  @BeforeEach
  void serveAnArtifact() throws IOException {
    Path file = elsewhere.resolve("model.strata");
    try (TinyModel model = TinyModels.withSeed(1)) {
      model.writeTo(file);
    }
    bytes = Files.readAllBytes(file);
    try (ModelArtifact artifact = ModelArtifact.open(file)) {
      ends = artifact.sections().stream().mapToLong(section -> section.end()).toArray();
    }
    server = new ThrottledServer(bytes);
    models = new TestRepository(ModelRepository.Options.of(directory));
    models.settings("tiny", "source:\n  3: %s\n".formatted(server.location()));
  }

  @AfterEach
  void close() {
    server.close();
    models.close();
  }

  private void arriveUpTo(int width) {
    server.allow(ends[width] - (width == 1 ? 0 : ends[width - 1]));
    TestRepository.await(() -> models.registry.isReady("tiny", Optional.empty()));
    TestRepository.await(() -> models.widths("tiny") >= width);
  }

  @Test
  void eachWidthAnswersAsSoonAsItHasArrived() {
    models.repository.refresh();
    TestRepository.await(() -> !models.registry.entries().isEmpty());
    assertInstanceOf(ModelState.Loading.class, models.state("tiny", 3));
    for (int width = 1; width <= 8; width++) {
      arriveUpTo(width);
      ModelCard card = models.card("tiny");
      assertEquals("3", card.version());
      assertEquals(TestRepository.bits(width), card.precisions());
      assertEquals(Bits.all().subList(width, 8), card.arriving());
      assertEquals(new Bits(width), card.defaultBits());
      try (ModelLease lease = models.registry.lease("tiny", Optional.empty());
          ServedModel.Session session = lease.model().newSession()) {
        assertEquals(4, TestRepository.answer(session, new Bits(width), INPUTS).length);
      }
      if (width < 8) {
        InferenceException early =
            assertThrows(InferenceException.class, () -> card.requirePresent(new Bits(8)));
        assertEquals(ErrorCode.MODEL_NOT_READY, early.code());
        assertEquals(
            "bits: got 8, model 'tiny' has %s now; %s are still arriving"
                .formatted(card.precisions(), card.arriving()),
            early.getMessage());
      }
    }
    models.settle();
    assertEquals(bytes.length, server.sentBytes.get());
    assertEquals(List.of("bytes=0-"), server.ranges);
  }

  @Test
  void aBrokenConnectionIsTakenUpWhereItEnded() {
    server.breakAfter.set(ends[2] + 100);
    models.repository.refresh();
    arriveUpTo(1);
    server.allow(bytes.length - ends[1]);
    TestRepository.await(() -> models.widths("tiny") == 8);
    models.settle();
    assertEquals(2, server.ranges.size(), server.ranges.toString());
    assertFalse(server.ranges.get(1).equals("bytes=0-"));
    assertTrue(server.sentBytes.get() < bytes.length + 1024, "nothing is sent twice");
  }

  @Test
  void aConnectionThatStallsIsTakenUpAgain() throws IOException {
    models.close();
    models =
        new TestRepository(
            new ModelRepository.Options(
                List.of(directory),
                ModelRepository.Control.POLL,
                List.of(),
                Optional.empty(),
                Long.MAX_VALUE,
                MemoryBudget.NO_LIMIT,
                Duration.ZERO,
                SignaturePolicy.NONE,
                1,
                Duration.ofMillis(200)));
    server.allow(ends[2]);
    models.repository.refresh();
    TestRepository.await(() -> server.ranges.size() >= 2);
    assertEquals(2, models.widths("tiny"));
    // Those that were given up still wait for their bytes.
    server.allow(10L * bytes.length);
    TestRepository.await(() -> models.widths("tiny") == 8);
  }

  @Test
  void aSectionThatArrivesDamagedIsReadAgain() {
    server.damageAt.set(ends[4] + 1);
    server.allow(2L * bytes.length);
    models.refresh();
    assertEquals(8, models.widths("tiny"));
    assertEquals(2, server.ranges.size());
  }

  @Test
  void anObjectThatIsCutServesWhatItHas() {
    server.object = Arrays.copyOf(bytes, (int) ends[3] + 10);
    server.allow(2L * bytes.length);
    models.refresh();
    assertEquals(3, models.widths("tiny"));
    String note = ((ModelState.Ready) models.state("tiny", 3)).note();
    assertTrue(note.contains("ends at byte"), note);
    assertFalse(note.contains("secret"), note);
  }

  @Test
  void aServerWithoutRangesIsReadFromTheBeginning() {
    server.knowsRanges = false;
    server.breakAfter.set(ends[2] + 100);
    server.allow(3L * bytes.length);
    models.refresh();
    assertEquals(8, models.widths("tiny"));
  }

  @Test
  void anObjectThatChangesMeanwhileIsNotMixedUp() {
    server.breakAfter.set(ends[2] + 100);
    models.repository.refresh();
    arriveUpTo(1);
    server.tag = "\"two\"";
    server.allow(bytes.length);
    models.settle();
    String note = ((ModelState.Ready) models.state("tiny", 3)).note();
    assertTrue(note.endsWith("the object was changed while it was read"), note);
    assertTrue(models.widths("tiny") >= 1);
  }

  @Test
  void whatTheServerRefusesIsToldWithoutSecrets() {
    server.status = 403;
    models.refresh();
    ModelState.Failed failed = assertInstanceOf(ModelState.Failed.class, models.state("tiny", 3));
    assertEquals("http://127.0.0.1/model.strata: got HTTP status 403", failed.reason());
  }

  @Test
  void aNewVersionDoesNotAnswerForTheOldOneBeforeItIsComplete() throws IOException {
    models.put("tiny", 2, 2);
    models.settings("tiny", "version-policy: {latest: 1}\n");
    models.refresh();
    models.settings("tiny", "source:\n  3: %s\n".formatted(server.location()));
    models.repository.refresh();
    server.allow(ends[4]);
    TestRepository.await(() -> models.registry.readyVersions("tiny").equals(List.of("2", "3")));
    assertEquals("2", models.card("tiny").version(), "the old one has all its widths");
    server.allow(bytes.length - ends[4]);
    models.settle();
    assertEquals("3", models.card("tiny").version());
    assertEquals(List.of("3"), models.registry.readyVersions("tiny"));
  }
}
