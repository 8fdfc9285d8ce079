package dev.strata.gateway.console;

import jakarta.ws.rs.core.EntityTag;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;

/// One file of the console, read once.
///
/// @param tag names these bytes, so that a browser need not fetch what it has
@SuppressWarnings("ArrayRecordComponent")
record ConsoleFile(byte[] bytes, String type, EntityTag tag) {

  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html;charset=utf-8",
          "css", "text/css;charset=utf-8",
          "js", "text/javascript;charset=utf-8",
          "svg", "image/svg+xml",
          "png", "image/png");

  /// @param name of a file among the console's resources
  static ConsoleFile read(String name) {
    try (InputStream in = ConsoleFile.class.getResourceAsStream("/console/" + name)) {
      if (in == null) {
        throw new IllegalStateException("the console's file '%s' is missing".formatted(name));
      }
      byte[] bytes = in.readAllBytes();
      String type = TYPES.get(name.substring(name.lastIndexOf('.') + 1));
      return new ConsoleFile(bytes, type, new EntityTag(digest(bytes)));
    } catch (IOException failure) {
      throw new UncheckedIOException("console file " + name, failure);
    }
  }

  private static String digest(byte[] bytes) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
      return HexFormat.of().formatHex(hash, 0, 16);
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError("every Java has SHA-256", impossible);
    }
  }
}
