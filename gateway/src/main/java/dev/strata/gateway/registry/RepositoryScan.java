package dev.strata.gateway.registry;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/// Looks for models in directories. Names that clients could not ask for are refused once, aloud.
/// Names that clients send are only ever looked up in what was found, never made into paths.
final class RepositoryScan {

  static final String ARTIFACT = "model.strata";

  private static final Logger LOG = Logger.getLogger(RepositoryScan.class);

  /// A name ends up in paths, URLs and metrics.
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");

  private static final Pattern VERSION = Pattern.compile("[1-9][0-9]{0,17}");

  /// A file, and what tells it from the one that had its place before.
  record Stamp(Path file, long size, FileTime modified, String inode) {}

  /// What there is of one model.
  ///
  /// @param settings its `model.yaml`
  /// @param versions artifacts on disk
  record Found(Optional<Stamp> settings, NavigableMap<Long, Stamp> versions) {}

  private final List<Path> directories;
  private final Set<Path> refused = new HashSet<>();

  /// @param directories in order of precedence; one that does not exist yet counts as empty
  RepositoryScan(List<Path> directories) {
    this.directories = List.copyOf(directories);
  }

  /// Models by name. A model is a directory with an artifact or a `model.yaml`.
  Map<String, Found> find() {
    Map<String, Found> found = new TreeMap<>();
    for (Path directory : directories) {
      for (Path model : children(directory)) {
        String name = model.getFileName().toString();
        if (!NAME.matcher(name).matches() || name.equals("stats")) {
          refuse(
              model, "a model's name is up to 128 letters, digits, '.', '_' and '-', not 'stats'");
          continue;
        }
        Optional<Stamp> settings = stamp(model.resolve(ModelSettingsFile.NAME));
        NavigableMap<Long, Stamp> versions = versions(model);
        if (settings.isPresent() || !versions.isEmpty()) {
          found.merge(name, new Found(settings, versions), RepositoryScan::both);
        }
      }
    }
    return found;
  }

  private static Found both(Found first, Found second) {
    NavigableMap<Long, Stamp> versions = new TreeMap<>(second.versions());
    versions.putAll(first.versions());
    return new Found(first.settings().or(second::settings), versions);
  }

  private NavigableMap<Long, Stamp> versions(Path model) {
    NavigableMap<Long, Stamp> versions = new TreeMap<>();
    for (Path version : children(model)) {
      String number = version.getFileName().toString();
      if (!VERSION.matcher(number).matches()) {
        refuse(version, "a version is a positive decimal number");
        continue;
      }
      stamp(version.resolve(ARTIFACT))
          .ifPresent(stamp -> versions.put(Long.parseLong(number), stamp));
    }
    return versions;
  }

  private void refuse(Path path, String reason) {
    if (refused.add(path)) {
      LOG.warnf("%s is ignored: %s", path, reason);
    }
  }

  /// Directories inside, by name; hidden ones are somebody's unfinished work.
  private List<Path> children(Path directory) {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> children = Files.list(directory)) {
      return children
          .filter(child -> Files.isDirectory(child))
          .filter(child -> !child.getFileName().toString().startsWith("."))
          .sorted()
          .toList();
    } catch (IOException unreadable) {
      refuse(directory, unreadable.toString());
      return List.of();
    }
  }

  private static Optional<Stamp> stamp(Path file) {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      return Optional.of(
          new Stamp(
              file,
              attributes.size(),
              attributes.lastModifiedTime(),
              String.valueOf(attributes.fileKey())));
    } catch (IOException none) {
      return Optional.empty();
    }
  }
}
