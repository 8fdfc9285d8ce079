package dev.strata.artifact;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.util.Arrays;

/// The detached Ed25519 signature of an artifact: 64 bytes over length and header, which hold the
/// hash of every section. So it proves the origin of each section as soon as that has arrived, and
/// stays valid for a file that is cut.
public final class ArtifactSignature {

  /// What is appended to an artifact's name for the file that holds its signature.
  public static final String SUFFIX = ".sig";

  public static final String ALGORITHM = "Ed25519";
  public static final int BYTES = 64;

  private ArtifactSignature() {}

  /// @param header the first bytes of the file, as many as [ArtifactOutline#headerBytes] says
  public static byte[] sign(byte[] header, PrivateKey key) {
    try {
      Signature signature = Signature.getInstance(ALGORITHM);
      signature.initSign(key);
      signature.update(header);
      return signature.sign();
    } catch (GeneralSecurityException failure) {
      throw new IllegalArgumentException("the key does not sign: " + failure.getMessage(), failure);
    }
  }

  /// @return whether `key` made the signature; false too for bytes that are no signature at all
  public static boolean verify(byte[] header, byte[] signature, PublicKey key) {
    try {
      Signature verifier = Signature.getInstance(ALGORITHM);
      verifier.initVerify(key);
      verifier.update(header);
      return verifier.verify(signature);
    } catch (GeneralSecurityException malformed) {
      return false;
    }
  }

  /// Reads what is signed: length and header of the artifact at `path`, checked.
  public static byte[] signedBytes(Path path) throws IOException {
    try (InputStream file = Files.newInputStream(path)) {
      byte[] start = file.readNBytes(ArtifactOutline.START_BYTES);
      if (start.length < ArtifactOutline.START_BYTES) {
        throw new CorruptArtifactException(
            path,
            ArtifactSection.HEADER,
            start.length,
            "at least " + ArtifactOutline.START_BYTES + " bytes",
            start.length + " bytes");
      }
      byte[] header = Arrays.copyOf(start, ArtifactOutline.headerBytes(path, start));
      int rest = header.length - start.length;
      if (file.readNBytes(header, start.length, rest) < rest) {
        throw new EOFException(
            "%s: expected a header of %d bytes, the file ends before".formatted(path, rest));
      }
      ArtifactOutline.read(path, header);
      return header;
    }
  }
}
