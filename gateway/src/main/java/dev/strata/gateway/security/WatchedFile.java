package dev.strata.gateway.security;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/// What a small file says, read anew when it changes. A change that cannot be read is logged, and
/// what was read before stays in force.
final class WatchedFile<T> {

  /// Turns the text into a value.
  interface Parser<T> {
    /// @throws IllegalArgumentException saying what is wrong and where
    T parse(String text);
  }

  private static final Logger LOG = Logger.getLogger(WatchedFile.class);
  private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);

  private record Stamp(FileTime modified, long size, String inode) {}

  private record Read<T>(Stamp stamp, T value) {}

  private final Path path;
  private final Parser<T> parser;
  private volatile Read<T> read;
  private volatile long lookedNanos;

  /// @throws IllegalArgumentException if the file cannot be read or is wrong
  WatchedFile(Path path, Parser<T> parser) {
    this.path = path;
    this.parser = parser;
    this.lookedNanos = System.nanoTime();
    try {
      this.read = new Read<>(stamp(), parse());
    } catch (IOException | UncheckedIOException unreadable) {
      throw new IllegalArgumentException("%s: %s".formatted(path, unreadable), unreadable);
    }
  }

  T value() {
    long now = System.nanoTime();
    if (now - lookedNanos > LOOK_NANOS) {
      lookedNanos = now;
      look();
    }
    return read.value();
  }

  private void look() {
    try {
      Stamp stamp = stamp();
      if (!stamp.equals(read.stamp())) {
        T before = read.value();
        // The stamp first: a file that is wrong is reported once.
        read = new Read<>(stamp, before);
        read = new Read<>(stamp, parse());
        LOG.infof("%s: read anew", path);
      }
    } catch (IOException | IllegalArgumentException wrong) {
      LOG.errorf("%s: still using what it said before: %s", path, wrong.getMessage());
    }
  }

  private T parse() throws IOException {
    return parser.parse(Files.readString(path));
  }

  private Stamp stamp() throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
    return new Stamp(
        attributes.lastModifiedTime(), attributes.size(), String.valueOf(attributes.fileKey()));
  }
}
