package dev.strata.artifact;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.precision.Bits;
import dev.strata.testing.TinyModel;
import dev.strata.testing.TinyModels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A damaged file is refused, and the message says where the damage is.
final class DamageTest {
  @TempDir Path folder;

  private Path file;
  private byte[] intact;
  private List<ArtifactSection> sections;

  @BeforeEach
  void writeArtifact() throws IOException {
    try (TinyModel model = TinyModels.withSeed(7)) {
      file = model.writeTo(folder.resolve("model.strata"));
    }
    intact = Files.readAllBytes(file);
    try (ModelArtifact artifact = ModelArtifact.open(file)) {
      sections = artifact.sections();
    }
  }

  @Test
  void everyChangedByteIsFoundAndItsSectionNamed() throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      for (int at = 0; at < intact.length; at++) {
        // A different bit of each byte, so that all bits have their turn.
        put(channel, at, (byte) (intact[at] ^ (1 << (at % 8))));
        CorruptArtifactException failure = refused(file);
        assertEquals(sectionOf(at), failure.section(), "byte " + at + ": " + failure.getMessage());
        assertTrue(failure.getMessage().contains(sectionOf(at)), failure.getMessage());
        put(channel, at, intact[at]);
      }
    }
    ModelArtifact.open(file).close();
  }

  @Test
  void aCutFileOpensOnlyAtTheEndOfASection() throws IOException {
    Map<Long, Integer> bitsAtLength = new HashMap<>();
    sections.stream()
        .filter(section -> section.index() > 0)
        .forEach(section -> bitsAtLength.put(section.end(), section.index()));
    int opened = 0;
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      for (int length = intact.length; length >= 0; length--) {
        channel.truncate(length);
        Integer bits = bitsAtLength.get((long) length);
        if (bits == null) {
          CorruptArtifactException failure = refused(file);
          assertEquals(sectionOf(length), failure.section(), "cut to " + length);
          continue;
        }
        opened++;
        try (ModelArtifact artifact = ModelArtifact.open(file)) {
          assertEquals(Bits.all().subList(0, bits), artifact.precisions());
          assertEquals(new Bits(bits), artifact.description().defaultBits());
          assertEquals(
              bits + 1L, artifact.sections().stream().filter(ArtifactSection::present).count());
          assertEquals(bits == 8, artifact.find("hidden.plane.7").isPresent());
          assertTrue(artifact.find("hidden.plane.0").isPresent());
        }
      }
    }
    assertEquals(8, opened);
  }

  @Test
  void bytesBehindTheLastSectionAreRefused() throws IOException {
    Files.write(file, new byte[64], StandardOpenOption.APPEND);
    assertEquals("section 8 (plane 8)", refused(file).section());
  }

  @Test
  void theExceptionSaysPathOffsetExpectedAndFound() throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(sections.get(3).end() - 1);
    }
    CorruptArtifactException failure = refused(file);
    assertEquals(file, failure.path());
    assertEquals("section 3 (plane 3)", failure.section());
    assertEquals(sections.get(3).end() - 1, failure.offset());
    assertEquals("bytes up to " + sections.get(3).end(), failure.expected());
    assertEquals("the file ends at " + (sections.get(3).end() - 1), failure.found());
  }

  /// The section that a byte belongs to, or that a file of this length lacks bytes of.
  private String sectionOf(long at) {
    if (at < sections.getFirst().offset()) {
      return ArtifactSection.HEADER;
    }
    return sections.stream()
        .filter(section -> at < section.end())
        .findFirst()
        .orElseThrow()
        .label();
  }

  private static CorruptArtifactException refused(Path file) {
    return assertThrows(CorruptArtifactException.class, () -> ModelArtifact.open(file).close());
  }

  private static void put(FileChannel channel, long at, byte value) throws IOException {
    channel.write(ByteBuffer.wrap(new byte[] {value}), at);
  }
}
