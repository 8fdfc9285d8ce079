package dev.strata.gateway.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.artifact.ArtifactSignature;
import dev.strata.artifact.SignatureKeys;
import dev.strata.gateway.registry.SignaturePolicy.Strictness;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SignaturePolicyTest {

  private final KeyPair trusted = SignatureKeys.generate();
  private final KeyPair stranger = SignatureKeys.generate();

  @TempDir Path directory;
  @TempDir Path keys;

  @BeforeEach
  void trustOneKey() throws IOException {
    Files.writeString(keys.resolve("team.pub"), SignatureKeys.pem(trusted.getPublic()));
  }

  @Test
  void requiredSignaturesAreByATrustedKeyOrTheModelIsNotServed() throws IOException {
    try (TestRepository models = repository(Strictness.REQUIRE)) {
      Path file = models.put("tiny", 1, 1);
      models.refresh();
      assertEquals("signature: got none, expected one by one of 1 trusted keys", reason(models));
      sign(file, stranger);
      models.put("tiny", 1, 1);
      models.refresh();
      assertEquals(
          "signature: got one that does not verify, expected one by one of 1 trusted keys",
          reason(models));
      sign(file, trusted);
      models.put("tiny", 1, 1);
      models.refresh();
      assertEquals(8, models.widths("tiny"));
    }
  }

  @Test
  void aSignatureOfAnotherArtifactIsNone() throws IOException {
    try (TestRepository models = repository(Strictness.REQUIRE)) {
      Path file = models.put("tiny", 1, 1);
      sign(file, trusted);
      models.put("tiny", 1, 2);
      models.refresh();
      assertTrue(reason(models).contains("does not verify"));
    }
  }

  @Test
  void warningsServeAllTheSameAndOffDoesNotLook() throws IOException {
    for (Strictness lax : new Strictness[] {Strictness.WARN, Strictness.OFF}) {
      try (TestRepository models = repository(lax)) {
        sign(models.put("tiny", 1, 1), stranger);
        models.refresh();
        assertEquals(8, models.widths("tiny"));
      }
    }
  }

  @Test
  void keysThatAreNoneStopTheStart() throws IOException {
    Path broken = Files.writeString(keys.resolve("broken.pub"), "no key");
    IOException refused =
        assertThrows(IOException.class, () -> SignaturePolicy.of(Strictness.REQUIRE, keys));
    assertTrue(refused.getMessage().contains(broken.toString()));
    assertThrows(IOException.class, () -> SignaturePolicy.of(Strictness.WARN, directory));
  }

  private TestRepository repository(Strictness strictness) throws IOException {
    return new TestRepository(
        TestRepository.options(
            directory,
            ModelRepository.Control.POLL,
            MemoryBudget.NO_LIMIT,
            SignaturePolicy.of(strictness, keys)));
  }

  private static String reason(TestRepository models) {
    return assertInstanceOf(ModelState.Failed.class, models.state("tiny", 1)).reason();
  }

  private static void sign(Path file, KeyPair by) throws IOException {
    Files.write(
        file.resolveSibling(file.getFileName() + ArtifactSignature.SUFFIX),
        ArtifactSignature.sign(ArtifactSignature.signedBytes(file), by.getPrivate()));
  }
}
