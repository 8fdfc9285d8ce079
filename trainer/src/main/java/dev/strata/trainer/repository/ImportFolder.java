package dev.strata.trainer.repository;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/// A folder for files that are needed during an import only; closing deletes it.
public record ImportFolder(Path path) implements AutoCloseable {

  public static ImportFolder create() throws IOException {
    return new ImportFolder(Files.createTempDirectory("strata-import"));
  }

  @Override
  public void close() throws IOException {
    try (Stream<Path> files = Files.walk(path)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
