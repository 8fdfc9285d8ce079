package dev.strata.gateway.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.artifact.ArtifactOutline;
import dev.strata.artifact.ArtifactSignature;
import dev.strata.testing.TinyModel;
import dev.strata.testing.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ArtifactCacheTest {

  @TempDir Path folder;

  @Test
  void aFileHasItsHeaderItsFinalLengthAndNoOtherReaders() throws IOException {
    Path artifact = artifact(1);
    try (ArtifactCache cache = ArtifactCache.at(folder.resolve("cache"), Long.MAX_VALUE);
        ArtifactCache.Entry entry = enter(cache, artifact)) {
      assertTrue(entry.isNew());
      byte[] header = ArtifactSignature.signedBytes(artifact);
      byte[] staged = Files.readAllBytes(entry.file());
      assertEquals(Files.size(artifact), staged.length);
      assertTrue(Arrays.equals(header, 0, header.length, staged, 0, header.length));
      assertEquals(
          "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(entry.file())));
    }
  }

  @Test
  void whatIsInUseOrFitsStaysAndTheOldestGoesFirst() throws IOException {
    List<Path> artifacts = List.of(artifact(1), artifact(2), artifact(3), artifact(4));
    long size = Files.size(artifacts.getFirst());
    try (ArtifactCache cache = ArtifactCache.at(folder.resolve("cache"), 2 * size + size / 2)) {
      ArtifactCache.Entry first = enter(cache, artifacts.get(0));
      Path second;
      try (ArtifactCache.Entry entry = enter(cache, artifacts.get(1))) {
        second = entry.file();
        assertThrows(IOException.class, () -> enter(cache, artifacts.get(2)).close());
      }
      Files.setLastModifiedTime(second, FileTime.from(Instant.EPOCH));
      enter(cache, artifacts.get(2)).close();
      assertTrue(Files.exists(first.file()));
      assertFalse(Files.exists(second));
      first.close();
      Files.setLastModifiedTime(first.file(), FileTime.from(Instant.EPOCH));
      enter(cache, artifacts.get(3)).close();
      assertFalse(Files.exists(first.file()));
      assertEquals(2 * size, cache.bytes());
    }
  }

  @Test
  void aDirectoryHasOneServerAtATimeAndKeepsItsFiles() throws IOException {
    Path directory = folder.resolve("cache");
    try (ArtifactCache cache = ArtifactCache.at(directory, Long.MAX_VALUE)) {
      enter(cache, artifact(1)).close();
      IOException refused =
          assertThrows(IOException.class, () -> ArtifactCache.at(directory, Long.MAX_VALUE));
      assertTrue(refused.getMessage().contains("in use by another server"));
    }
    try (ArtifactCache again = ArtifactCache.at(directory, Long.MAX_VALUE);
        ArtifactCache.Entry entry = enter(again, artifact(1))) {
      assertFalse(entry.isNew());
    }
  }

  @Test
  void aRestartReadsNothingTwice() throws IOException {
    Path repository = Files.createDirectories(folder.resolve("repository"));
    ModelRepository.Options plain = ModelRepository.Options.of(repository);
    ModelRepository.Options kept =
        new ModelRepository.Options(
            plain.directories(),
            plain.control(),
            plain.atStart(),
            java.util.Optional.of(folder.resolve("cache")),
            Long.MAX_VALUE,
            plain.budgetBytes(),
            plain.idle(),
            plain.signatures(),
            1,
            plain.stall());
    Path file;
    try (TestRepository models = new TestRepository(kept)) {
      file = models.put("tiny", 1, 1);
      models.refresh();
      assertEquals(8, models.widths("tiny"));
    }
    // Only the header is left of the source: everything else can come from the cache alone.
    byte[] header = ArtifactSignature.signedBytes(file);
    Files.write(file, header);
    try (TestRepository models = new TestRepository(kept)) {
      models.refresh();
      assertEquals(8, models.widths("tiny"));
    }
    try (Stream<Path> cached = Files.list(folder.resolve("cache"))) {
      Path only =
          cached.filter(path -> path.toString().endsWith(".strata")).findFirst().orElseThrow();
      byte[] bytes = Files.readAllBytes(only);
      bytes[bytes.length - 1] ^= 1;
      Files.write(only, bytes);
    }
    try (TestRepository models = new TestRepository(kept)) {
      models.refresh();
      assertEquals(7, models.widths("tiny"), "what the cache holds is verified again");
    }
  }

  @Test
  void aTemporaryCacheLeavesNothingBehind() throws IOException {
    Path file;
    try (ArtifactCache cache = ArtifactCache.temporary(Long.MAX_VALUE);
        ArtifactCache.Entry entry = enter(cache, artifact(1))) {
      file = entry.file();
      assertTrue(Files.exists(file));
    }
    assertFalse(Files.exists(file.getParent()));
  }

  private Path artifact(long seed) throws IOException {
    try (TinyModel model = TinyModels.withSeed(seed)) {
      return model.writeTo(folder.resolve("model-" + seed));
    }
  }

  private static ArtifactCache.Entry enter(ArtifactCache cache, Path artifact) throws IOException {
    byte[] header = ArtifactSignature.signedBytes(artifact);
    return cache.enter(ArtifactOutline.read(artifact, header), header);
  }
}
