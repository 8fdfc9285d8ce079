package dev.strata.loadtest.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/// A name for the outputs of one answer, whatever protocol brought them.
final class OutputDigest {
  private static final int BYTES = 16;

  private final MessageDigest digest;

  OutputDigest() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }

  void add(String name, String datatype, List<Long> shape, ByteBuffer data) {
    digest.update(
        "%s %s %s %d ".formatted(name, datatype, shape, data.remaining()).getBytes(UTF_8));
    digest.update(data);
  }

  String hex() {
    return HexFormat.of().formatHex(digest.digest(), 0, BYTES);
  }
}
