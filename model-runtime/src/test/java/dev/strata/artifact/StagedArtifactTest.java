package dev.strata.artifact;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.model.LayeredModel;
import dev.strata.precision.Bits;
import dev.strata.testing.TinyModel;
import dev.strata.testing.TinyModels;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A file that is filled while it is mapped.
final class StagedArtifactTest {
  private static final Map<String, Tensor> INPUTS =
      Map.of("x", Tensor.of(Shape.of(2, 16), TinyModels.gaussian(new Random(3), 32, 1)));

  @TempDir Path folder;

  private Path source;
  private Path staged;
  private byte[] bytes;
  private ArtifactOutline outline;

  @BeforeEach
  void writeTheSourceAndTheHeaderOfItsCopy() throws IOException {
    try (TinyModel model = TinyModels.withSeed(7)) {
      source = model.writeTo(folder.resolve("model.strata"));
    }
    bytes = Files.readAllBytes(source);
    int headerBytes = ArtifactOutline.headerBytes(source, Arrays.copyOf(bytes, 8));
    outline = ArtifactOutline.read(source, Arrays.copyOf(bytes, headerBytes));
    staged = folder.resolve("staged");
    try (RandomAccessFile copy = new RandomAccessFile(staged.toFile(), "rw")) {
      copy.setLength(outline.bytes());
      copy.write(bytes, 0, headerBytes);
    }
  }

  @Test
  void theOutlineKnowsEverySizeBeforeTheDataComes() {
    assertEquals(bytes.length, outline.bytes());
    assertEquals(8, outline.widths());
    try (ModelArtifact whole = ModelArtifact.open(source)) {
      assertEquals(whole.sections().getLast().end(), outline.prefixBytes(8));
      assertEquals(whole.prefixBytes(new Bits(3)), outline.prefixBytes(3));
      assertEquals(whole.description(), outline.description());
    } catch (IOException failure) {
      throw new AssertionError(failure);
    }
  }

  @Test
  void eachSectionThatArrivesBringsItsWidthAndLeavesTheOthersAsTheyWere() throws IOException {
    ModelArtifact artifact = ModelArtifact.openStaged(staged);
    assertThrows(IllegalStateException.class, artifact::description);
    copy(0);
    artifact.admit(0);
    assertTrue(artifact.find("shift").isPresent());
    assertFalse(artifact.find("hidden.plane.0").isPresent());
    copy(1);
    artifact.admit(1);
    try (LayeredModel growing = LayeredModel.of(artifact);
        LayeredModel.Session session = growing.newSession();
        LayeredModel whole = LayeredModel.open(source);
        LayeredModel.Session reference = whole.newSession()) {
      for (int width = 1; width <= 8; width++) {
        assertEquals(Bits.all().subList(0, width), growing.precisions());
        for (int bits = 1; bits <= width; bits++) {
          assertArrayEquals(answer(reference, bits), answer(session, bits));
        }
        if (width < 8) {
          Bits next = new Bits(width + 1);
          assertThrows(IllegalArgumentException.class, () -> session.predict(next, INPUTS));
          copy(width + 1);
          artifact.admit(width + 1);
        }
      }
    }
  }

  @Test
  void aSectionThatIsNotThereYetOrWrongIsNotAdmitted() throws IOException {
    try (ModelArtifact artifact = ModelArtifact.openStaged(staged)) {
      copy(0);
      assertThrows(IllegalArgumentException.class, () -> artifact.admit(1));
      artifact.admit(0);
      CorruptArtifactException hole =
          assertThrows(CorruptArtifactException.class, () -> artifact.admit(1));
      assertEquals("section 1 (plane 1)", hole.section());
      assertEquals(1, artifact.admittedSections());
      copy(1);
      artifact.admit(1);
      assertEquals(List.of(new Bits(1)), artifact.precisions());
    }
  }

  @Test
  void aStagedFileHasItsFinalLength() throws IOException {
    try (RandomAccessFile copy = new RandomAccessFile(staged.toFile(), "rw")) {
      copy.setLength(outline.bytes() - 1);
    }
    CorruptArtifactException refused =
        assertThrows(CorruptArtifactException.class, () -> ModelArtifact.openStaged(staged));
    assertEquals(outline.bytes() - 1 + " bytes", refused.found());
  }

  @Test
  void planesThatWereEvictedAnswerAsBefore() throws IOException {
    try (LayeredModel model = LayeredModel.open(source);
        LayeredModel.Session session = model.newSession()) {
      float[] before = answer(session, 8);
      for (int bits = 8; bits > 1; bits--) {
        model.evict(new Bits(bits));
      }
      assertArrayEquals(before, answer(session, 8));
      model.fetch(new Bits(8));
      assertArrayEquals(before, answer(session, 8));
    }
  }

  private void copy(int section) throws IOException {
    ArtifactSection part = outline.sections().get(section);
    try (RandomAccessFile copy = new RandomAccessFile(staged.toFile(), "rw")) {
      copy.seek(part.offset());
      copy.write(bytes, (int) part.offset(), (int) part.length());
    }
  }

  private static float[] answer(LayeredModel.Session session, int bits) {
    return session.predict(new Bits(bits), INPUTS).outputs().get("y").toFloats();
  }
}
