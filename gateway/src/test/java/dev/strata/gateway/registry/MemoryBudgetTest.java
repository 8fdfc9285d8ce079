package dev.strata.gateway.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
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
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Models that do not all fit at all their widths.
@Timeout(60)
class MemoryBudgetTest {

  @TempDir Path directory;
  @TempDir Path elsewhere;
  private final AtomicInteger evicted = new AtomicInteger();
  private final AtomicInteger returned = new AtomicInteger();
  private long[] prefix;
  private Optional<TestRepository> open = Optional.empty();

  private final LoadObserver observer =
      new LoadObserver() {
        @Override
        public void loaded(String model, Stage stage, Duration time) {}

        @Override
        public void failed(String model, Cause cause) {}

        @Override
        public void evicted(String model, int planes) {
          evicted.addAndGet(planes);
        }

        @Override
        public void returned(String model) {
          returned.incrementAndGet();
        }
      };

  /// Bytes of `tiny` at each width; index 0 is nothing.
  @BeforeEach
  void measure() throws IOException {
    try (TinyModel model = TinyModels.withSeed(1);
        ModelArtifact artifact = ModelArtifact.open(model.writeTo(elsewhere.resolve("a")))) {
      prefix = new long[9];
      for (Bits bits : Bits.all()) {
        prefix[bits.count()] = artifact.prefixBytes(bits);
      }
    }
  }

  @AfterEach
  void close() {
    open.ifPresent(TestRepository::close);
  }

  private TestRepository budget(long bytes) throws IOException {
    TestRepository models =
        new TestRepository(
            TestRepository.options(
                directory, ModelRepository.Control.POLL, bytes, SignaturePolicy.NONE),
            observer);
    open = Optional.of(models);
    return models;
  }

  @Test
  void theColdestModelLosesItsLastPlanesAndGoesOnServingTheOthers() throws IOException {
    TestRepository models = budget(prefix[8] + prefix[5]);
    models.put("first", 1, 1);
    models.refresh();
    models.put("second", 1, 2);
    models.refresh();
    assertEquals(8, models.widths("second"), "the one that is loaded gets what it needs");
    ModelCard card = models.card("first");
    assertEquals(TestRepository.bits(5), card.precisions());
    assertEquals(Bits.all().subList(5, 8), card.evicted());
    assertEquals(List.of(), card.arriving());
    assertEquals(new Bits(5), card.defaultBits());
    assertEquals(3, evicted.get());
    assertTrue(models.repository.residentBytes() <= prefix[8] + prefix[5]);
    InferenceException refused = refusal(card, 7);
    assertEquals(ErrorCode.MODEL_NOT_READY, refused.code());
    assertEquals(
        "bits: got 7, model 'first' has [1, 2, 3, 4, 5] now; [6, 7, 8] come back when there is"
            + " memory",
        refused.getMessage());
  }

  @Test
  void planesComeBackWhenThereIsRoom() throws IOException {
    TestRepository models = budget(prefix[8] + prefix[2]);
    models.put("first", 1, 1);
    models.refresh();
    Path second = models.put("second", 1, 2);
    models.refresh();
    assertEquals(2, models.widths("first"));
    Files.delete(second);
    models.refresh();
    models.refresh();
    models.settle();
    assertEquals(8, models.widths("first"));
    assertEquals(List.of(), models.card("first").evicted());
    assertEquals(6, returned.get());
  }

  @Test
  void planesComeBackToWhoIsAskedFromWhoIsIdle() throws IOException {
    TestRepository models = budget(prefix[8] + prefix[4]);
    models.put("first", 1, 1);
    models.refresh();
    models.put("second", 1, 2);
    models.refresh();
    assertEquals(List.of(4, 8), List.of(models.widths("first"), models.widths("second")));
    // Looking at a card is using the model; the other one is the colder now.
    models.card("first");
    models.refresh();
    models.settle();
    assertEquals(
        TestRepository.bits(8), models.registry.card("first", Optional.empty()).precisions());
    assertEquals(
        TestRepository.bits(4), models.registry.card("second", Optional.empty()).precisions());
  }

  @Test
  void theOwnersLeastWidthIsNotTakenAway() throws IOException {
    TestRepository models = budget(prefix[8] + prefix[5]);
    models.settings("first", "precision: {min: 7}\n");
    models.put("first", 1, 1);
    models.refresh();
    models.put("second", 1, 2);
    models.refresh();
    assertEquals(7, models.widths("first"));
    assertTrue(models.widths("second") < 8);
    assertTrue(models.widths("second") >= 5);
  }

  @Test
  void whatCanNeverFitIsRefusedWithSizes() throws IOException {
    TestRepository models = budget(prefix[1] + prefix[1] - 1);
    models.put("first", 1, 1);
    models.refresh();
    assertTrue(models.widths("first") >= 1);
    models.put("second", 1, 2);
    models.refresh();
    ModelState.Failed failed = assertInstanceOf(ModelState.Failed.class, models.state("second", 1));
    assertEquals(
        "memory: got %,d bytes for 1 bits, expected at most %,d (strata.memory.budget-bytes is %,d, and other models need %,d at least)"
            .formatted(prefix[1], prefix[1] - 1, 2 * prefix[1] - 1, prefix[1]),
        failed.reason());
    assertTrue(models.widths("first") >= 1, "the refusal costs nobody anything");
  }

  @Test
  void aRequestThatHasBegunIsAnsweredAtItsWidth() throws IOException {
    TestRepository models = budget(prefix[8] + prefix[1]);
    models.put("first", 1, 1);
    models.refresh();
    Map<String, Tensor> inputs = Map.of("x", Tensor.of(Shape.of(1, 16), new float[16]));
    try (ModelLease lease = models.registry.lease("first", Optional.empty());
        ServedModel.Session session = lease.model().newSession()) {
      float[] before = TestRepository.answer(session, new Bits(8), inputs);
      models.put("second", 1, 2);
      models.refresh();
      assertEquals(1, lease.model().card().precisions().size());
      assertEquals(
          Arrays.toString(before),
          Arrays.toString(TestRepository.answer(session, new Bits(8), inputs)));
    }
  }

  private static InferenceException refusal(ModelCard card, int bits) {
    try {
      card.requirePresent(new Bits(bits));
    } catch (InferenceException refused) {
      return refused;
    }
    throw new AssertionError("expected a refusal");
  }
}
