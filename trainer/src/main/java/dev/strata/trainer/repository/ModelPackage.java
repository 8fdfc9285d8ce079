package dev.strata.trainer.repository;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/// A Maven package that brings a network, found in a folder by its artifact name.
record ModelPackage(Path jar) {

  /// @param folder where packages are
  /// @param artifact Maven's artifact name; of several versions the last by name is taken
  static ModelPackage find(Path folder, String artifact) throws IOException {
    Pattern name = Pattern.compile(Pattern.quote(artifact) + "-[0-9].*\\.jar");
    List<Path> found;
    try (Stream<Path> files = Files.list(folder)) {
      found =
          files
              .filter(file -> name.matcher(file.getFileName().toString()).matches())
              .sorted(Comparator.comparing(Path::toString))
              .toList();
    }
    if (found.isEmpty()) {
      throw new NoSuchFileException(folder.resolve(artifact + "-*.jar").toString());
    }
    return new ModelPackage(found.getLast());
  }

  byte[] read(String entry) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile());
        InputStream in = open(zip, entry)) {
      return in.readAllBytes();
    }
  }

  /// Writes an entry to a folder under its own file name.
  Path extract(String entry, Path folder) throws IOException {
    Path target = folder.resolve(Path.of(entry).getFileName());
    try (ZipFile zip = new ZipFile(jar.toFile());
        InputStream in = open(zip, entry)) {
      Files.copy(in, target, StandardCopyOption.REPLACE_EXISTING);
    }
    return target;
  }

  private InputStream open(ZipFile zip, String entry) throws IOException {
    ZipEntry found = zip.getEntry(entry);
    if (found == null) {
      throw new IOException("%s has no entry '%s'".formatted(jar, entry));
    }
    return zip.getInputStream(found);
  }
}
