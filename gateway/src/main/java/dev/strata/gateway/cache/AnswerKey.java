package dev.strata.gateway.cache;

import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/// What makes two requests to one loaded model equal: the width served and the inputs. An answer
/// holds all outputs, so it does not matter which of them a request wants. The model itself is not
/// part of the key, since each loaded version has a cache of its own.
///
/// @param digest SHA-256 over width, and name, type, shape and bytes of each input, in hexadecimal
public record AnswerKey(String digest) {

  public static AnswerKey of(Bits bits, Map<String, Tensor> inputs) {
    MessageDigest sha = sha256();
    sha.update((byte) bits.count());
    // The lengths keep what stands side by side apart.
    new TreeMap<>(inputs)
        .forEach(
            (name, tensor) -> {
              text(sha, name);
              text(sha, tensor.type() + tensor.shape().toString());
              sha.update(length(tensor.byteSize()));
              tensor.pieces().forEach(piece -> sha.update(piece.asByteBuffer()));
            });
    return new AnswerKey(HexFormat.of().formatHex(sha.digest()));
  }

  private static void text(MessageDigest sha, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    sha.update(length(bytes.length));
    sha.update(bytes);
  }

  private static ByteBuffer length(long length) {
    return ByteBuffer.allocate(Long.BYTES).putLong(length).flip();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError("every Java platform has SHA-256", impossible);
    }
  }
}
