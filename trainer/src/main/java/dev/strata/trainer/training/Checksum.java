package dev.strata.trainer.training;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// SHA-256 in hexadecimal.
final class Checksum {
  private Checksum() {}

  static String of(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }

  static String of(String text) {
    return of(text.getBytes(StandardCharsets.UTF_8));
  }

  /// @throws InvalidRunException if the file holds something else
  static void require(Path file, String expected) throws IOException {
    String found = of(Files.readAllBytes(file));
    if (!found.equals(expected)) {
      throw new InvalidRunException(
          "%s: got SHA-256 %s, expected %s".formatted(file, found, expected));
    }
  }
}
