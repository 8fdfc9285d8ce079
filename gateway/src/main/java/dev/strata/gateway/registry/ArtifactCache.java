package dev.strata.gateway.registry;

import dev.strata.artifact.ArtifactOutline;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// The private directory of what is mapped. Nothing else writes there, so nobody can shorten a file
/// that is mapped, which would kill the process. A file is named by the hash of its header, which
/// covers all of its content: the same artifact is stored once, and is found again after a restart.
///
/// Files have their final length from the start; what has not arrived is a hole. Files that nobody
/// uses stay until their room is needed, least recently used first.
final class ArtifactCache implements AutoCloseable {

  private static final String ENDING = ".strata";
  private static final String LOCK = ".lock";

  private final Path directory;
  private final long maxBytes;
  private final boolean temporary;
  private final FileChannel lockFile;
  private final Map<String, Integer> users = new HashMap<>();

  private ArtifactCache(Path directory, long maxBytes, boolean temporary) throws IOException {
    this.directory = directory;
    this.maxBytes = maxBytes;
    this.temporary = temporary;
    this.lockFile = lock(directory);
  }

  /// A directory that outlives the process.
  ///
  /// @param maxBytes most bytes of all files together
  /// @throws IOException if it cannot be made, or another process uses it
  static ArtifactCache at(Path directory, long maxBytes) throws IOException {
    Files.createDirectories(directory);
    return new ArtifactCache(directory, maxBytes, false);
  }

  /// A directory that is deleted on [#close].
  static ArtifactCache temporary(long maxBytes) throws IOException {
    return new ArtifactCache(Files.createTempDirectory("strata-cache"), maxBytes, true);
  }

  private static FileChannel lock(Path directory) throws IOException {
    FileChannel channel =
        FileChannel.open(
            directory.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock lock;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException ours) {
      lock = null;
    }
    if (lock == null) {
      channel.close();
      throw new IOException("'%s' is in use by another server".formatted(directory));
    }
    return channel;
  }

  /// One artifact's place in the cache; it is not removed while it is open.
  final class Entry implements AutoCloseable {
    private final String key;
    private final FileChannel channel;
    private final boolean isNew;
    private boolean closed;

    private Entry(String key, FileChannel channel, boolean isNew) {
      this.key = key;
      this.channel = channel;
      this.isNew = isNew;
    }

    /// Whether the file holds nothing but the header; else some or all of it may be there.
    boolean isNew() {
      return isNew;
    }

    Path file() {
      return ArtifactCache.this.file(key);
    }

    /// Writes all remaining bytes of `source` at a position of the file.
    void write(ByteBuffer source, long position) throws IOException {
      long at = position;
      while (source.hasRemaining()) {
        at += channel.write(source, at);
      }
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        leave(this);
      }
    }
  }

  /// Finds or makes the file of an artifact, with its header in place and its final length.
  ///
  /// @throws IOException if it is larger than all there may be, or cannot be written
  synchronized Entry enter(ArtifactOutline outline, byte[] header) throws IOException {
    String key = outline.sha256();
    Path file = file(key);
    boolean reusable = Files.exists(file) && Files.size(file) == outline.bytes();
    if (!reusable) {
      Files.deleteIfExists(file);
      makeRoom(outline.bytes());
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      try (RandomAccessFile sized = new RandomAccessFile(file.toFile(), "rw")) {
        sized.setLength(outline.bytes());
      }
    }
    FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
    users.merge(key, 1, Integer::sum);
    Entry entry = new Entry(key, channel, !reusable);
    try {
      entry.write(ByteBuffer.wrap(header), 0);
      Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
      return entry;
    } catch (IOException failure) {
      entry.close();
      throw failure;
    }
  }

  private synchronized void leave(Entry entry) {
    users.computeIfPresent(entry.key, (_, count) -> count == 1 ? null : count - 1);
    try {
      entry.channel.close();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /// Bytes of all files, as long as they will be when they are whole.
  synchronized long bytes() throws IOException {
    long bytes = 0;
    for (Path file : files()) {
      bytes += Files.size(file);
    }
    return bytes;
  }

  private void makeRoom(long needed) throws IOException {
    long bytes = bytes();
    List<Path> unused = new ArrayList<>();
    for (Path file : files()) {
      String name = file.getFileName().toString();
      if (!users.containsKey(name.substring(0, name.length() - ENDING.length()))) {
        unused.add(file);
      }
    }
    unused.sort(Comparator.comparing(file -> file.toFile().lastModified()));
    for (Path file : unused) {
      if (bytes + needed <= maxBytes) {
        return;
      }
      bytes -= Files.size(file);
      Files.delete(file);
    }
    if (bytes + needed > maxBytes) {
      throw new IOException(
          "strata.cache.max-bytes: got %,d, expected %,d for this artifact and %,d in use"
              .formatted(maxBytes, needed, bytes));
    }
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.getFileName().toString().endsWith(ENDING)).toList();
    }
  }

  private Path file(String key) {
    return directory.resolve(key + ENDING);
  }

  @Override
  public synchronized void close() {
    try {
      if (temporary) {
        for (Path file : files()) {
          Files.delete(file);
        }
        Files.delete(directory.resolve(LOCK));
      }
      lockFile.close();
      if (temporary) {
        Files.delete(directory);
      }
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
