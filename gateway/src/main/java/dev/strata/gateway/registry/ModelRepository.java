package dev.strata.gateway.registry;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/// Directories of models on disk, `name/version/model.strata`, kept in step with the registry.
/// Files appear by renaming, so a file that is there is whole. One thread at a time.
public final class ModelRepository {

  private static final Logger LOG = Logger.getLogger(ModelRepository.class);

  /// A name ends up in paths, URLs and metrics.
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");

  private static final Pattern VERSION = Pattern.compile("[1-9][0-9]{0,17}");
  private static final String FILE = "model.strata";

  private record Key(String name, long version) {}

  /// What tells a file from the one that had its place before.
  private record Stamp(Path file, long size, FileTime modified, String inode) {}

  private final List<Path> directories;
  private final ModelRegistry registry;
  private final Map<Key, Stamp> known = new LinkedHashMap<>();
  private final Set<Path> refused = new HashSet<>();

  /// @param directories in order of precedence; one that does not exist yet counts as empty
  public ModelRepository(List<Path> directories, ModelRegistry registry) {
    this.directories = List.copyOf(directories);
    this.registry = registry;
  }

  /// Makes what is on disk known to the registry, without loading it.
  public void announce() {
    for (Key key : find().keySet()) {
      registry.loading(key.name(), key.version());
    }
  }

  /// Loads what is new or changed, in order of name and version, and takes out what has gone.
  ///
  /// @return whether anything changed
  public boolean refresh() {
    Map<Key, Stamp> found = find();
    boolean changed = false;
    for (Key key : List.copyOf(known.keySet())) {
      if (!found.containsKey(key)) {
        known.remove(key);
        registry.remove(key.name(), key.version());
        LOG.infof("model '%s' version %d: removed", key.name(), key.version());
        changed = true;
      }
    }
    for (Map.Entry<Key, Stamp> entry : found.entrySet()) {
      if (!entry.getValue().equals(known.put(entry.getKey(), entry.getValue()))) {
        load(entry.getKey(), entry.getValue().file());
        changed = true;
      }
    }
    return changed;
  }

  private void load(Key key, Path file) {
    registry.loading(key.name(), key.version());
    long start = System.nanoTime();
    try {
      LoadedModel model = LoadedModel.open(key.name(), key.version(), file);
      registry.ready(key.name(), key.version(), model);
      LOG.infof(
          "model '%s' version %d: ready at %s bits (%d ms)",
          key.name(),
          key.version(),
          model.card().precisions(),
          (System.nanoTime() - start) / 1_000_000);
    } catch (IOException | RuntimeException | LinkageError failure) {
      String reason = Optional.ofNullable(failure.getMessage()).orElse(failure.toString());
      // Clients see the reason; where the file lies is not their business.
      registry.failed(key.name(), key.version(), reason.replace(file.toString(), FILE));
      LOG.errorf("model '%s' version %d: not loaded: %s", key.name(), key.version(), reason);
      LOG.debug("not loaded", failure);
    }
  }

  private Map<Key, Stamp> find() {
    Map<Key, Stamp> found = new LinkedHashMap<>();
    for (Path directory : directories) {
      for (Path model : children(directory)) {
        if (!NAME.matcher(model.getFileName().toString()).matches()
            || model.getFileName().toString().equals("stats")) {
          refuse(model, "not a model name; expected " + NAME + ", and not 'stats'");
          continue;
        }
        for (Path version : children(model)) {
          Path file = version.resolve(FILE);
          if (VERSION.matcher(version.getFileName().toString()).matches()
              && Files.isRegularFile(file)) {
            Key key =
                new Key(
                    model.getFileName().toString(),
                    Long.parseLong(version.getFileName().toString()));
            stamp(file).ifPresent(stamp -> found.putIfAbsent(key, stamp));
          }
        }
      }
    }
    return found;
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
    } catch (IOException vanished) {
      return Optional.empty();
    }
  }
}
