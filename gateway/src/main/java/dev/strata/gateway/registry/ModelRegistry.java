package dev.strata.gateway.registry;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ModelCard;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/// Name and version to model. Requests lease from it; the repository puts in and takes out.
public final class ModelRegistry implements AutoCloseable {

  /// One version as the outside sees it.
  public record Entry(String name, String version, ModelState state) {}

  private sealed interface Slot {
    record Loading() implements Slot {}

    record Ready(LoadedModel model) implements Slot {}

    record Failed(String reason) implements Slot {}
  }

  private final Map<String, NavigableMap<Long, Slot>> models = new TreeMap<>();

  /// Reserves a model for one request.
  ///
  /// @param version a decimal number; empty for the newest version that is ready
  /// @throws InferenceException if there is no such model or version, or it is not ready
  public synchronized ModelLease lease(String name, Optional<String> version) {
    NavigableMap<Long, Slot> versions = versions(name);
    Slot slot =
        version.isPresent()
            ? exactly(name, versions, version.get())
            : newestReady(versions).orElseGet(() -> versions.lastEntry().getValue());
    return switch (slot) {
      case Slot.Ready(LoadedModel model) when model.acquire() -> new ModelLease(model);
      case Slot.Ready _ -> throw new AssertionError("model '%s' is closed".formatted(name));
      case Slot.Loading _ ->
          throw new InferenceException(
              ErrorCode.MODEL_NOT_READY, "model '%s' is still loading".formatted(name));
      case Slot.Failed(String reason) ->
          throw new InferenceException(
              ErrorCode.MODEL_NOT_READY,
              "model '%s' could not be loaded: %s".formatted(name, reason));
    };
  }

  /// @return the model as it is served without a version named
  /// @throws InferenceException as [#lease] does
  public ModelCard card(String name, Optional<String> version) {
    try (ModelLease lease = lease(name, version)) {
      return lease.model().card();
    }
  }

  /// Versions of a model that can be asked for, ascending; empty for an unknown name.
  public synchronized List<String> readyVersions(String name) {
    return models.getOrDefault(name, new TreeMap<>()).entrySet().stream()
        .filter(entry -> entry.getValue() instanceof Slot.Ready)
        .map(entry -> Long.toString(entry.getKey()))
        .toList();
  }

  /// Every known version of every model, by name and version.
  public synchronized List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    models.forEach(
        (name, versions) ->
            versions.forEach(
                (version, slot) ->
                    entries.add(new Entry(name, Long.toString(version), state(slot)))));
    return entries;
  }

  /// Makes a version known before it can answer. A version that already answers goes on doing so.
  synchronized void loading(String name, long version) {
    Map<Long, Slot> versions = models.computeIfAbsent(name, _ -> new TreeMap<>());
    if (!(versions.get(version) instanceof Slot.Ready)) {
      versions.put(version, new Slot.Loading());
    }
  }

  /// Lets a version answer from now on, instead of what answered under that number before.
  void ready(String name, long version, LoadedModel model) {
    Slot before;
    synchronized (this) {
      before =
          models.computeIfAbsent(name, _ -> new TreeMap<>()).put(version, new Slot.Ready(model));
    }
    retire(before);
  }

  /// Notes why a version cannot answer. A version that already answers goes on doing so.
  synchronized void failed(String name, long version, String reason) {
    Map<Long, Slot> versions = models.computeIfAbsent(name, _ -> new TreeMap<>());
    if (!(versions.get(version) instanceof Slot.Ready)) {
      versions.put(version, new Slot.Failed(reason));
    }
  }

  void remove(String name, long version) {
    Slot before;
    synchronized (this) {
      NavigableMap<Long, Slot> versions = models.getOrDefault(name, new TreeMap<>());
      before = versions.remove(version);
      if (versions.isEmpty()) {
        models.remove(name);
      }
    }
    retire(before);
  }

  /// Retires every model; each is closed when its last user has gone.
  @Override
  public void close() {
    List<Slot> all = new ArrayList<>();
    synchronized (this) {
      models.values().forEach(versions -> all.addAll(versions.values()));
      models.clear();
    }
    all.forEach(ModelRegistry::retire);
  }

  private NavigableMap<Long, Slot> versions(String name) {
    NavigableMap<Long, Slot> versions = models.get(name);
    if (versions == null) {
      throw new InferenceException(
          ErrorCode.MODEL_NOT_FOUND,
          "model: got '%s', expected one of %s".formatted(name, models.keySet()));
    }
    return versions;
  }

  private static Slot exactly(String name, NavigableMap<Long, Slot> versions, String version) {
    for (Map.Entry<Long, Slot> entry : versions.entrySet()) {
      if (Long.toString(entry.getKey()).equals(version)) {
        return entry.getValue();
      }
    }
    throw new InferenceException(
        ErrorCode.MODEL_NOT_FOUND,
        "version of model '%s': got '%s', expected one of %s"
            .formatted(name, version, versions.keySet()));
  }

  private static Optional<Slot> newestReady(NavigableMap<Long, Slot> versions) {
    return versions.descendingMap().values().stream()
        .filter(slot -> slot instanceof Slot.Ready)
        .findFirst();
  }

  private static ModelState state(Slot slot) {
    return switch (slot) {
      case Slot.Loading() -> new ModelState.Loading();
      case Slot.Ready(LoadedModel model) -> new ModelState.Ready(model.card());
      case Slot.Failed(String reason) -> new ModelState.Failed(reason);
    };
  }

  private static void retire(Slot slot) {
    if (slot instanceof Slot.Ready(LoadedModel model)) {
      model.retire();
    }
  }
}
