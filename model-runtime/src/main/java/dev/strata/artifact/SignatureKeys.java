package dev.strata.artifact;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;

/// Ed25519 keys as PEM text, as OpenSSL writes them: PKCS #8 for the private, X.509 for the public.
public final class SignatureKeys {

  private static final String PRIVATE = "PRIVATE KEY";
  private static final String PUBLIC = "PUBLIC KEY";
  private static final int LINE_CHARACTERS = 64;

  private SignatureKeys() {}

  public static KeyPair generate() {
    try {
      return KeyPairGenerator.getInstance(ArtifactSignature.ALGORITHM).generateKeyPair();
    } catch (GeneralSecurityException failure) {
      throw new AssertionError("every Java platform has Ed25519", failure);
    }
  }

  public static String pem(PrivateKey key) {
    return pem(PRIVATE, key.getEncoded());
  }

  public static String pem(PublicKey key) {
    return pem(PUBLIC, key.getEncoded());
  }

  /// @throws IOException if the file cannot be read or is not such a key; the message names it
  public static PrivateKey privateKey(Path file) throws IOException {
    byte[] encoded = read(file, PRIVATE);
    try {
      return KeyFactory.getInstance(ArtifactSignature.ALGORITHM)
          .generatePrivate(new PKCS8EncodedKeySpec(encoded));
    } catch (GeneralSecurityException failure) {
      throw notAKey(file, PRIVATE, failure);
    }
  }

  /// @throws IOException if the file cannot be read or is not such a key; the message names it
  public static PublicKey publicKey(Path file) throws IOException {
    byte[] encoded = read(file, PUBLIC);
    try {
      return KeyFactory.getInstance(ArtifactSignature.ALGORITHM)
          .generatePublic(new X509EncodedKeySpec(encoded));
    } catch (GeneralSecurityException failure) {
      throw notAKey(file, PUBLIC, failure);
    }
  }

  private static String pem(String kind, byte[] encoded) {
    Base64.Encoder lines =
        Base64.getMimeEncoder(LINE_CHARACTERS, "\n".getBytes(StandardCharsets.US_ASCII));
    return "-----BEGIN %s-----%n%s%n-----END %s-----%n"
        .formatted(kind, lines.encodeToString(encoded), kind);
  }

  private static byte[] read(Path file, String kind) throws IOException {
    String begin = "-----BEGIN " + kind + "-----";
    String end = "-----END " + kind + "-----";
    String text = Files.readString(file, StandardCharsets.ISO_8859_1);
    int from = text.indexOf(begin);
    int to = text.indexOf(end);
    if (from < 0 || to < from) {
      throw notAKey(file, kind, null);
    }
    try {
      return Base64.getMimeDecoder().decode(text.substring(from + begin.length(), to));
    } catch (IllegalArgumentException failure) {
      throw notAKey(file, kind, failure);
    }
  }

  private static IOException notAKey(Path file, String kind, Exception cause) {
    return new IOException(
        "%s: expected an %s %s in PEM".formatted(file, ArtifactSignature.ALGORITHM, kind), cause);
  }
}
