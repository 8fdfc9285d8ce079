package dev.strata.artifact;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.testing.TinyModel;
import dev.strata.testing.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ArtifactSignatureTest {
  private final KeyPair keys = SignatureKeys.generate();

  @TempDir Path folder;

  @Test
  void onlyTheRightKeyAndTheSameHeaderVerify() throws IOException {
    byte[] header = ArtifactSignature.signedBytes(artifact());
    byte[] signature = ArtifactSignature.sign(header, keys.getPrivate());
    assertEquals(ArtifactSignature.BYTES, signature.length);
    assertTrue(ArtifactSignature.verify(header, signature, keys.getPublic()));
    assertFalse(ArtifactSignature.verify(header, signature, SignatureKeys.generate().getPublic()));
    header[100] ^= 1;
    assertFalse(ArtifactSignature.verify(header, signature, keys.getPublic()));
    header[100] ^= 1;
    signature[5] ^= 1;
    assertFalse(ArtifactSignature.verify(header, signature, keys.getPublic()));
    assertFalse(ArtifactSignature.verify(header, new byte[3], keys.getPublic()));
  }

  @Test
  void keysSurviveTheirFiles() throws IOException {
    Path secret = Files.writeString(folder.resolve("k.pem"), SignatureKeys.pem(keys.getPrivate()));
    Path open = Files.writeString(folder.resolve("k.pub"), SignatureKeys.pem(keys.getPublic()));
    assertEquals(keys.getPrivate(), SignatureKeys.privateKey(secret));
    assertEquals(keys.getPublic(), SignatureKeys.publicKey(open));
    IOException swapped = assertThrows(IOException.class, () -> SignatureKeys.publicKey(secret));
    assertTrue(swapped.getMessage().contains("k.pem: expected an Ed25519 PUBLIC KEY"));
    Path garbage =
        Files.writeString(
            folder.resolve("g.pem"), "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----");
    assertThrows(IOException.class, () -> SignatureKeys.publicKey(garbage));
  }

  @Test
  void whatIsNoArtifactIsNotSigned() throws IOException {
    for (String text : new String[] {"", "short", "longer than a length, no header"}) {
      Path file = Files.writeString(folder.resolve("no"), text);
      assertThrows(IOException.class, () -> ArtifactSignature.signedBytes(file));
    }
  }

  private Path artifact() throws IOException {
    try (TinyModel model = TinyModels.withSeed(7)) {
      return model.writeTo(folder.resolve("model.strata"));
    }
  }
}
