package dev.strata.gateway.registry;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.ServedModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// Name and version to model. Requests lease from it; the repository puts in and takes out.
public final class ModelRegistry implements AutoCloseable {

  /// One version as the outside sees it.
  ///
  /// @param version empty for a model of which no version has been loaded
  /// @param labels names that stand for this version, sorted
  public record Entry(String name, String version, ModelState state, List<String> labels) {}

  private sealed interface Slot {
    record Loading(String note) implements Slot {}

    /// @param settled whether it has all that its source has; others are not preferred to it then
    record Ready(LoadedModel model, boolean settled, String note) implements Slot {}

    record Failed(String reason) implements Slot {}

    record Leaving(LoadedModel model) implements Slot {}

    record Gone() implements Slot {}
  }

  private static final class Model {
    private final NavigableMap<Long, Slot> versions = new TreeMap<>();
    private Map<String, Long> labels = Map.of();
  }

  private final Map<String, Model> models = new TreeMap<>();
  private Set<String> known = Set.of();

  /// Reserves a model for one request.
  ///
  /// @param version a decimal number or a label; empty for the newest version that is complete, or
  ///     else ready
  /// @throws InferenceException if there is no such model or version, or it is not ready
  public synchronized ModelLease lease(String name, Optional<String> version) {
    return switch (slot(name, version)) {
      case Slot.Ready(LoadedModel model, _, _) ->
          new ModelLease(
              model,
              model
                  .lease()
                  .orElseThrow(() -> new AssertionError("model '%s' is closed".formatted(name))));
      case Slot.Loading(String note) ->
          throw notReady(name, "is still loading" + (note.isEmpty() ? "" : ": " + note));
      case Slot.Failed(String reason) -> throw notReady(name, "could not be loaded: " + reason);
      case Slot.Leaving _, Slot.Gone _ -> throw notReady(name, "has been unloaded");
    };
  }

  private static InferenceException notReady(String name, String why) {
    return new InferenceException(ErrorCode.MODEL_NOT_READY, "model '%s' %s".formatted(name, why));
  }

  /// @return the model as it is served without a version named
  /// @throws InferenceException as [#lease] does
  public ModelCard card(String name, Optional<String> version) {
    try (ModelLease lease = lease(name, version)) {
      return lease.model().card();
    }
  }

  /// Whether a model answers, with the widths that its owner requires.
  ///
  /// @throws InferenceException if there is no such model or version
  public synchronized boolean isReady(String name, Optional<String> version) {
    return slot(name, version) instanceof Slot.Ready(LoadedModel model, _, _) && model.sufficient();
  }

  /// Versions of a model that can be asked for, ascending; empty for an unknown name.
  public synchronized List<String> readyVersions(String name) {
    return models.getOrDefault(name, new Model()).versions.entrySet().stream()
        .filter(entry -> entry.getValue() instanceof Slot.Ready)
        .map(entry -> Long.toString(entry.getKey()))
        .toList();
  }

  /// Every version that answers.
  public synchronized List<ServedModel> answering() {
    return models.values().stream()
        .flatMap(model -> model.versions.values().stream())
        .<ServedModel>mapMulti(
            (slot, models) -> {
              if (slot instanceof Slot.Ready(LoadedModel model, _, _)) {
                models.accept(model);
              }
            })
        .toList();
  }

  /// Every known version of every model, by name and version.
  public synchronized List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    Set<String> names = new TreeSet<>(known);
    names.addAll(models.keySet());
    for (String name : names) {
      Model model = models.get(name);
      if (model == null) {
        entries.add(new Entry(name, "", new ModelState.Known(), List.of()));
        continue;
      }
      model.versions.forEach(
          (version, slot) ->
              entries.add(
                  new Entry(
                      name,
                      Long.toString(version),
                      state(slot),
                      model.labels.entrySet().stream()
                          .filter(label -> label.getValue().equals(version))
                          .map(Map.Entry::getKey)
                          .sorted()
                          .toList())));
    }
    return entries;
  }

  /// Names of models that could be loaded, for [#entries].
  synchronized void known(Set<String> names) {
    known = Set.copyOf(names);
  }

  /// Makes a version known before it can answer. A version that already answers goes on doing so.
  ///
  /// @param note what it waits for, may be empty
  synchronized void loading(String name, long version, String note) {
    Map<Long, Slot> versions = versionsFor(name);
    versions.put(
        version,
        versions.get(version) instanceof Slot.Ready ready ? ready : new Slot.Loading(note));
  }

  /// Lets a version answer from now on, instead of what answered under that number before.
  void answers(String name, long version, LoadedModel model) {
    Slot before;
    synchronized (this) {
      Map<Long, Slot> versions = versionsFor(name);
      before = versions.get(version);
      if (before instanceof Slot.Ready(LoadedModel same, _, _) && same == model) {
        return;
      }
      versions.put(version, new Slot.Ready(model, false, ""));
    }
    retire(before);
  }

  /// Notes how the load of a version that answers has ended.
  ///
  /// @param settled whether it has all that its source has
  /// @param note why it has no more, may be empty
  synchronized void ended(String name, long version, boolean settled, String note) {
    versionsFor(name)
        .computeIfPresent(
            version,
            (_, slot) ->
                slot instanceof Slot.Ready(LoadedModel model, boolean before, _)
                    ? new Slot.Ready(model, settled || before, note)
                    : slot);
  }

  /// Notes why a version cannot answer, or, if it already answers, why it stays as it is.
  synchronized void failed(String name, long version, String reason) {
    Map<Long, Slot> versions = versionsFor(name);
    versions.put(
        version,
        versions.get(version) instanceof Slot.Ready(LoadedModel model, boolean settled, _)
            ? new Slot.Ready(model, settled, reason)
            : new Slot.Failed(reason));
  }

  /// The model that answers under a name and number.
  synchronized Optional<LoadedModel> answering(String name, long version) {
    Model model = models.get(name);
    return model != null && model.versions.get(version) instanceof Slot.Ready(LoadedModel it, _, _)
        ? Optional.of(it)
        : Optional.empty();
  }

  /// Whether a version answers with all that its source has.
  synchronized boolean isSettled(String name, long version) {
    Model model = models.get(name);
    return model != null
        && model.versions.get(version) instanceof Slot.Ready(_, boolean settled, _)
        && settled;
  }

  /// Moves all labels of a model at once.
  synchronized void labels(String name, Map<String, Long> labels) {
    Model model = models.get(name);
    if (model != null) {
      model.labels = Map.copyOf(labels);
    }
  }

  /// Where a model's labels point now.
  synchronized Map<String, Long> labels(String name) {
    return models.getOrDefault(name, new Model()).labels;
  }

  /// Forgets a version; who uses it may finish.
  void remove(String name, long version) {
    Slot before = null;
    synchronized (this) {
      Model model = models.get(name);
      if (model != null) {
        before = model.versions.remove(version);
        if (model.versions.isEmpty()) {
          models.remove(name);
        }
      }
    }
    retire(before);
  }

  /// Takes a version out of service, but remembers that it was there.
  void unload(String name, long version) {
    Slot before;
    synchronized (this) {
      Model model = models.get(name);
      if (model == null) {
        return;
      }
      model.labels = Map.of();
      before = model.versions.get(version);
      model.versions.put(
          version,
          before instanceof Slot.Ready(LoadedModel leaving, _, _)
              ? new Slot.Leaving(leaving)
              : new Slot.Gone());
    }
    retire(before);
  }

  /// Retires every model; each is closed when its last user has gone.
  @Override
  public void close() {
    List<Slot> all = new ArrayList<>();
    synchronized (this) {
      models.values().forEach(model -> all.addAll(model.versions.values()));
      models.clear();
    }
    all.forEach(ModelRegistry::retire);
  }

  private Map<Long, Slot> versionsFor(String name) {
    return models.computeIfAbsent(name, _ -> new Model()).versions;
  }

  private Slot slot(String name, Optional<String> version) {
    Model model = models.get(name);
    if (model == null && known.contains(name)) {
      throw notReady(name, "is not loaded");
    }
    if (model == null) {
      throw new InferenceException(
          ErrorCode.MODEL_NOT_FOUND,
          "model: got '%s', expected one of %s".formatted(name, models.keySet()));
    }
    return version.isPresent() ? exactly(name, model, version.get()) : preferred(model.versions);
  }

  private static Slot exactly(String name, Model model, String version) {
    Long number = model.labels.get(version);
    for (Map.Entry<Long, Slot> entry : model.versions.entrySet()) {
      if (entry.getKey().equals(number) || Long.toString(entry.getKey()).equals(version)) {
        return entry.getValue();
      }
    }
    throw new InferenceException(
        ErrorCode.MODEL_NOT_FOUND,
        "version of model '%s': got '%s', expected one of %s%s"
            .formatted(
                name,
                version,
                model.versions.keySet(),
                model.labels.isEmpty()
                    ? ""
                    : " or of the labels " + new TreeSet<>(model.labels.keySet())));
  }

  private static Slot preferred(NavigableMap<Long, Slot> versions) {
    Optional<Slot> ready = Optional.empty();
    for (Slot slot : versions.descendingMap().values()) {
      if (slot instanceof Slot.Ready(_, boolean settled, _)) {
        if (settled) {
          return slot;
        }
        ready = ready.or(() -> Optional.of(slot));
      }
    }
    return ready.orElseGet(() -> versions.lastEntry().getValue());
  }

  private static ModelState state(Slot slot) {
    return switch (slot) {
      case Slot.Loading(String note) -> new ModelState.Loading(note);
      case Slot.Ready(LoadedModel model, _, String note) ->
          new ModelState.Ready(model.card(), note);
      case Slot.Failed(String reason) -> new ModelState.Failed(reason);
      case Slot.Leaving(LoadedModel model) ->
          model.closed().isDone() ? new ModelState.Unloaded() : new ModelState.Unloading();
      case Slot.Gone() -> new ModelState.Unloaded();
    };
  }

  private static void retire(Slot slot) {
    if (slot instanceof Slot.Ready(LoadedModel model, _, _)) {
      model.retire();
    }
  }
}
