package dev.strata.gateway.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.artifact.ModelArtifact;
import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ServedModel;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A directory that is polled.
@Timeout(60)
class ModelRepositoryTest {

  private static final String ALL = "version-policy: all\n";
  private static final Map<String, Tensor> INPUTS =
      Map.of("x", Tensor.of(Shape.of(1, 16), new float[16]));

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
  void theNewestVersionAnswersUnlessAnotherIsNamed() throws IOException {
    models.settings("tiny", ALL);
    models.put("tiny", 1, 1);
    models.put("tiny", 9, 9);
    models.put("tiny", 10, 10);
    models.refresh();
    assertEquals("10", models.card("tiny").version());
    assertEquals("9", models.registry.card("tiny", Optional.of("9")).version());
    assertEquals(List.of("1", "9", "10"), models.registry.readyVersions("tiny"));
    ServedModel before = leased();
    models.refresh();
    assertSame(before, leased(), "nothing has changed since");
  }

  @Test
  void onlyTheNewestIsLoadedUnlessTheOwnerSaysOtherwise() throws IOException {
    models.put("tiny", 1, 1);
    models.put("tiny", 2, 2);
    models.put("tiny", 3, 3);
    models.refresh();
    assertEquals(List.of("3"), models.registry.readyVersions("tiny"));
    models.settings("tiny", "version-policy: {latest: 2}\n");
    models.refresh();
    assertEquals(List.of("2", "3"), models.registry.readyVersions("tiny"));
    models.settings("tiny", "version-policy: {specific: [1]}\n");
    models.refresh();
    assertEquals(List.of("1"), models.registry.readyVersions("tiny"));
  }

  @Test
  void unknownNamesAndVersionsAreToldApartFromWhatThereIs() throws IOException {
    models.put("tiny", 1, 1);
    models.refresh();
    assertEquals(ErrorCode.MODEL_NOT_FOUND, models.refusal("huge", Optional.empty()).code());
    for (String version : List.of("2", "01", "one", "-1", "99999999999999999999")) {
      InferenceException refused = models.refusal("tiny", Optional.of(version));
      assertEquals(ErrorCode.MODEL_NOT_FOUND, refused.code());
      assertTrue(refused.getMessage().contains("expected one of [1]"), refused.getMessage());
    }
  }

  @Test
  void whatIsNoArtifactIsNotServedAndSaysWhy() throws IOException {
    Path file = models.put("tiny", 1, 1);
    Files.writeString(file, "not an artifact");
    models.refresh();
    InferenceException refused = models.refusal("tiny", Optional.of("1"));
    assertEquals(ErrorCode.MODEL_NOT_READY, refused.code());
    assertTrue(refused.getMessage().contains("model.strata: header at byte 0: expected"));
    assertFalse(refused.getMessage().contains(directory.toString()), refused.getMessage());
    assertInstanceOf(ModelState.Failed.class, models.state("tiny", 1));
  }

  @Test
  void aDamagedSectionEndsTheWidthsThatAreServed() throws IOException {
    Path file = models.put("tiny", 1, 1);
    byte[] bytes = Files.readAllBytes(file);
    try (ModelArtifact artifact = ModelArtifact.open(file)) {
      bytes[(int) artifact.sections().get(6).offset()] ^= 1;
    }
    Files.write(file, bytes);
    models.refresh();
    assertEquals(5, models.widths("tiny"));
    assertEquals(Bits.all().subList(5, 8), models.card("tiny").arriving());
    ModelState.Ready ready = assertInstanceOf(ModelState.Ready.class, models.state("tiny", 1));
    assertTrue(ready.note().contains("section 6 (plane 6)"), ready.note());
    assertTrue(ready.note().startsWith("model.strata: "), ready.note());
  }

  @Test
  void aDamagedReplacementLeavesTheOldOneServing() throws IOException {
    Path file = models.put("tiny", 1, 1);
    models.refresh();
    ServedModel before = leased();
    Path damaged = Files.writeString(directory.resolve("damaged"), "not an artifact");
    Files.move(damaged, file, StandardCopyOption.REPLACE_EXISTING);
    models.refresh();
    assertSame(before, leased());
    byte[] bytes = Files.readAllBytes(models.put("tiny", 1, 2));
    bytes[bytes.length - 1] ^= 1;
    Files.write(file, bytes);
    models.refresh();
    assertSame(before, leased(), "a replacement is to have all its widths");
    ModelState.Ready ready = assertInstanceOf(ModelState.Ready.class, models.state("tiny", 1));
    assertTrue(ready.note().contains("section 8 (plane 8)"), ready.note());
    models.put("tiny", 1, 3);
    models.refresh();
    assertNotSame(before, leased());
  }

  @Test
  void aDamagedNewVersionLeavesTheOldOneServing() throws IOException {
    models.put("tiny", 1, 1);
    models.refresh();
    Path file = models.put("tiny", 2, 2);
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 1] ^= 1;
    Files.write(file, bytes);
    models.refresh();
    assertEquals("1", models.card("tiny").version());
    assertEquals(8, models.widths("tiny"));
    models.put("tiny", 2, 2);
    models.refresh();
    assertEquals("2", models.card("tiny").version());
    assertEquals(List.of("2"), models.registry.readyVersions("tiny"));
  }

  @Test
  void aFileThatIsCutAtTheEndOfASectionIsASmallerModel() throws IOException {
    Path file = models.put("tiny", 1, 1);
    long cut;
    try (ModelArtifact artifact = ModelArtifact.open(file)) {
      cut = artifact.prefixBytes(new Bits(3));
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(cut);
    }
    models.refresh();
    assertEquals(TestRepository.bits(3), models.card("tiny").precisions());
    assertEquals(new Bits(3), models.card("tiny").defaultBits());
    assertEquals("", ((ModelState.Ready) models.state("tiny", 1)).note());
  }

  @Test
  void aGrowingFileServesWhatHasArrived() throws IOException {
    Path file = models.put("tiny", 1, 1);
    byte[] bytes = Files.readAllBytes(file);
    long[] ends;
    try (ModelArtifact artifact = ModelArtifact.open(file)) {
      ends = artifact.sections().stream().mapToLong(section -> section.end()).toArray();
    }
    for (int length : new int[] {0, 5, 100, (int) ends[0], (int) ends[1] - 1}) {
      Files.write(file, Arrays.copyOf(bytes, length));
      models.refresh();
      InferenceException waiting = models.refusal("tiny", Optional.empty());
      assertEquals(ErrorCode.MODEL_NOT_READY, waiting.code());
      assertTrue(waiting.getMessage().contains("model.strata ends"), waiting.getMessage());
    }
    ServedModel first = null;
    for (int width = 1; width <= 8; width++) {
      Files.write(file, Arrays.copyOf(bytes, (int) ends[width] + (width < 8 ? 1 : 0)));
      models.refresh();
      assertEquals(TestRepository.bits(width), models.card("tiny").precisions());
      first = first == null ? leased() : first;
      assertSame(first, leased(), "the model widens in place");
    }
    assertEquals(List.of(), models.card("tiny").arriving());
  }

  @Test
  void truncatingTheSourceDoesNotHarmTheModel() throws IOException {
    Path file = models.put("tiny", 1, 1);
    models.refresh();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(0);
    }
    try (ModelLease lease = models.registry.lease("tiny", Optional.empty());
        ServedModel.Session session = lease.model().newSession()) {
      for (Bits bits : Bits.all()) {
        assertEquals(4, TestRepository.answer(session, bits, INPUTS).length);
      }
    }
  }

  @Test
  void aReplacedModelAnswersItsLeasesToTheEnd() throws IOException {
    models.put("tiny", 1, 1);
    models.refresh();
    try (ModelLease old = models.registry.lease("tiny", Optional.empty());
        ServedModel.Session session = old.model().newSession()) {
      models.put("tiny", 1, 2);
      models.refresh();
      assertTrue(old.model().retired());
      assertEquals(4, TestRepository.answer(session, new Bits(8), INPUTS).length);
      assertNotSame(old.model(), leased());
    }
  }

  @Test
  void whatIsRemovedFromDiskIsGone() throws IOException {
    Path file = models.put("tiny", 1, 1);
    models.refresh();
    Files.delete(file);
    models.refresh();
    assertEquals(ErrorCode.MODEL_NOT_FOUND, models.refusal("tiny", Optional.empty()).code());
    assertEquals(List.of(), models.registry.entries());
  }

  @Test
  void namesThatCannotBeAskedForAreIgnored() throws IOException {
    models.put("stats", 1, 1);
    models.put("with space", 1, 1);
    models.put(".unfinished", 1, 1);
    models.put("tiny", 0, 1);
    models.refresh();
    assertEquals(List.of(), models.registry.entries());
  }

  @Test
  void badSettingsAreToldAndLeaveWhatServesAlone() throws IOException {
    models.settings("tiny", "version-policy: newest\n");
    models.put("tiny", 1, 1);
    models.refresh();
    InferenceException refused = models.refusal("tiny", Optional.empty());
    assertTrue(
        refused
            .getMessage()
            .contains("model.yaml: version-policy: got \"newest\", expected all, {latest: N}"),
        refused.getMessage());
    models.settings("tiny", "precision: {default: 6}\n");
    models.refresh();
    assertEquals(new Bits(6), models.card("tiny").defaultBits());
    ServedModel before = leased();
    models.settings("tiny", "precision: {defualt: 4}\n");
    models.refresh();
    assertSame(before, leased());
    assertTrue(((ModelState.Ready) models.state("tiny", 1)).note().contains("precision.defualt"));
    models.settings("tiny", "precision: {default: 4}\n");
    models.refresh();
    assertSame(before, leased(), "settings change in place");
    assertEquals(new Bits(4), models.card("tiny").defaultBits());
    assertEquals("", ((ModelState.Ready) models.state("tiny", 1)).note());
  }

  @Test
  void aModelIsReadyWithTheWidthsThatItsOwnerRequires() throws IOException {
    models.settings("tiny", "precision: {required: 4}\n");
    Path file = models.put("tiny", 1, 1);
    byte[] bytes = Files.readAllBytes(file);
    long three;
    try (ModelArtifact artifact = ModelArtifact.open(file)) {
      three = artifact.prefixBytes(new Bits(3));
    }
    Files.write(file, Arrays.copyOf(bytes, (int) three + 1));
    models.refresh();
    assertEquals(3, models.widths("tiny"));
    assertFalse(models.registry.isReady("tiny", Optional.empty()));
    Files.write(file, bytes);
    models.refresh();
    assertTrue(models.registry.isReady("tiny", Optional.empty()));
  }

  private ServedModel leased() {
    try (ModelLease lease = models.registry.lease("tiny", Optional.empty())) {
      return lease.model();
    }
  }
}
