package dev.strata.gateway.registry;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.registry.RepositoryScan.Found;
import dev.strata.gateway.registry.RepositoryScan.Stamp;
import dev.strata.gateway.registry.VersionLoad.Outcome;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.jboss.logging.Logger;

/// Keeps the versions of one model in step with its directory and its `model.yaml`: loads what is
/// wanted, moves labels, and lets versions go that are no longer wanted once another answers.
final class ModelUpkeep {

  private static final Logger LOG = Logger.getLogger(ModelUpkeep.class);

  /// Where a version is read from, and what tells it from what was there before.
  private record Origin(ArtifactLocation location, Object identity) {}

  /// One version's load: under way, or done.
  private static final class Work {
    private final CompletableFuture<Void> usable = new CompletableFuture<>();
    private CompletableFuture<Outcome> done = new CompletableFuture<>();
    private Origin origin;
    private Optional<VersionLoad> running = Optional.empty();
    private Optional<Outcome> outcome = Optional.empty();
    private Optional<Staging> staging = Optional.empty();

    Work(Origin origin) {
      this.origin = origin;
    }
  }

  private final String name;
  private final VersionLoad.Tools tools;
  private final ModelRegistry registry;
  private final Executor loaders;
  private final Function<URI, ArtifactLocation> remote;
  private final NavigableMap<Long, Work> works = new TreeMap<>();
  private Optional<Stamp> settingsStamp = Optional.empty();
  private Optional<ModelSettings> settings = Optional.empty();
  private NavigableSet<Long> wanted = new TreeSet<>();

  /// Why `model.yaml` cannot be used, and the versions that say so for want of anything better.
  private String problem = "";

  private NavigableSet<Long> refused = new TreeSet<>();
  private boolean ended;

  /// @param remote how a URL in `model.yaml` is read
  ModelUpkeep(
      String name,
      VersionLoad.Tools tools,
      ModelRegistry registry,
      Executor loaders,
      Function<URI, ArtifactLocation> remote) {
    this.name = name;
    this.tools = tools;
    this.registry = registry;
    this.loaders = loaders;
    this.remote = remote;
  }

  /// Brings everything in step with what was found.
  ///
  /// @param again whether to try once more what has failed before
  synchronized void update(Found found, boolean again) {
    NavigableMap<Long, Origin> origins;
    try {
      readSettings(found);
      origins = origins(found, settings.orElseThrow());
      dropGone(origins);
      wanted = wanted(settings.orElseThrow(), origins.navigableKeySet());
    } catch (InvalidSettingsException invalid) {
      refuse(found, invalid.getMessage());
      return;
    }
    accept();
    for (long version : wanted) {
      Origin origin = origins.get(version);
      Work work = works.get(version);
      if (work == null) {
        work = new Work(origin);
        works.put(version, work);
        start(version, work);
      } else if (work.running.isEmpty()
          && (!origin.identity().equals(work.origin.identity())
              || (again && work.outcome.filter(Outcome.Failed.class::isInstance).isPresent()))) {
        work.origin = origin;
        start(version, work);
      }
    }
    reconcile();
  }

  /// Goes on with files that were still growing when they were last looked at.
  synchronized void grow(Found found) {
    works.forEach(
        (version, work) -> {
          Stamp now = found.versions().get(version);
          if (now != null
              && work.running.isEmpty()
              && work.outcome.filter(Outcome.Partial.class::isInstance).isPresent()
              && !now.equals(work.origin.identity())) {
            work.origin = new Origin(new ArtifactLocation.Local(now.file()), now);
            start(version, work);
          }
        });
  }

  /// Done when every version that is wanted answers with the widths it must have, or has failed.
  synchronized CompletableFuture<Void> usable() {
    return CompletableFuture.allOf(
        works.values().stream().map(work -> work.usable).toArray(CompletableFuture<?>[]::new));
  }

  /// Done when every load under way is; failed if one of them has failed.
  ///
  /// @throws InferenceException if the model's settings cannot be used
  synchronized CompletableFuture<Void> loaded() {
    if (!problem.isEmpty()) {
      throw notLoaded(problem);
    }
    List<CompletableFuture<Outcome>> loads = new ArrayList<>();
    for (long version : wanted) {
      loads.add(works.get(version).done);
    }
    if (loads.isEmpty()) {
      throw notLoaded("no version of it is wanted");
    }
    return CompletableFuture.allOf(loads.toArray(CompletableFuture<?>[]::new))
        .thenRun(
            () ->
                loads.forEach(
                    load -> {
                      if (load.join() instanceof Outcome.Failed(_, String reason)) {
                        throw notLoaded(reason);
                      }
                    }));
  }

  private InferenceException notLoaded(String reason) {
    return new InferenceException(
        ErrorCode.MODEL_NOT_READY, "model '%s' could not be loaded: %s".formatted(name, reason));
  }

  /// Takes every version out of service. They are remembered as unloaded.
  synchronized void unload() {
    ended = true;
    works.values().forEach(ModelUpkeep::cancel);
    works.keySet().forEach(version -> registry.unload(name, version));
    works.values().forEach(ModelUpkeep::letGo);
    works.clear();
  }

  /// Forgets the model.
  synchronized void remove() {
    ended = true;
    works.values().forEach(ModelUpkeep::cancel);
    works.keySet().forEach(version -> registry.remove(name, version));
    refused.forEach(version -> registry.remove(name, version));
    works.values().forEach(ModelUpkeep::letGo);
    works.clear();
  }

  /// To be called before the registry closes the model: on a closed one a load fails, and must know
  /// that it was cancelled.
  private static void cancel(Work work) {
    work.running.ifPresent(VersionLoad::cancel);
  }

  /// A load under way cleans up behind itself.
  private static void letGo(Work work) {
    if (work.running.isEmpty()) {
      work.staging.ifPresent(Staging::abandon);
    }
    work.usable.complete(null);
  }

  /// The part of the memory budget, if it is this model's.
  synchronized Optional<Staging> holder(ResidentPlanes planes) {
    return works.values().stream()
        .flatMap(work -> work.staging.stream())
        .filter(staging -> staging.holds(planes))
        .findFirst();
  }

  private void readSettings(Found found) throws InvalidSettingsException {
    if (settings.isPresent() && found.settings().equals(settingsStamp)) {
      return;
    }
    settingsStamp = found.settings();
    ModelSettings read = ModelSettings.STANDARD;
    if (found.settings().isPresent()) {
      try {
        read = ModelSettingsFile.read(found.settings().get().file());
      } catch (IOException unreadable) {
        throw new InvalidSettingsException(
            "%s: cannot be read: %s".formatted(ModelSettingsFile.NAME, unreadable.getMessage()));
      }
    }
    settings = Optional.of(read);
    for (Work work : works.values()) {
      if (work.staging.isPresent()) {
        work.staging.get().apply(read);
      }
    }
  }

  /// What is already served goes on as it is; what is not says why.
  private void refuse(Found found, String reason) {
    if (reason.equals(problem)) {
      return;
    }
    LOG.errorf("model '%s': %s", name, reason);
    problem = reason;
    tools.observer().failed(name, LoadObserver.Cause.SETTINGS);
    if (works.isEmpty()) {
      refused = new TreeSet<>(found.versions().keySet());
      if (refused.isEmpty()) {
        refused.add(1L);
      }
    }
    refused.forEach(version -> registry.failed(name, version, reason));
    works.keySet().forEach(version -> registry.failed(name, version, reason));
  }

  private void accept() {
    if (problem.isEmpty()) {
      return;
    }
    problem = "";
    refused.forEach(version -> registry.remove(name, version));
    refused.clear();
    works.keySet().stream()
        .filter(version -> registry.isSettled(name, version))
        .forEach(version -> registry.ended(name, version, true, ""));
  }

  private NavigableMap<Long, Origin> origins(Found found, ModelSettings current) {
    NavigableMap<Long, Origin> origins = new TreeMap<>();
    current
        .sources()
        .forEach((version, uri) -> origins.put(version, new Origin(remote.apply(uri), uri)));
    found
        .versions()
        .forEach(
            (version, stamp) ->
                origins.put(version, new Origin(new ArtifactLocation.Local(stamp.file()), stamp)));
    return origins;
  }

  private static NavigableSet<Long> wanted(ModelSettings current, NavigableSet<Long> present)
      throws InvalidSettingsException {
    NavigableSet<Long> wanted = current.versions().choose(present);
    for (Map.Entry<String, Long> label : current.labels().entrySet()) {
      if (!present.contains(label.getValue())) {
        throw new InvalidSettingsException(
            "%s: labels.%s: got version %d, expected one of %s"
                .formatted(ModelSettingsFile.NAME, label.getKey(), label.getValue(), present));
      }
      wanted.add(label.getValue());
    }
    return wanted;
  }

  private void dropGone(NavigableMap<Long, Origin> origins) {
    for (long version : List.copyOf(works.keySet())) {
      if (!origins.containsKey(version)) {
        drop(version);
        LOG.infof("model '%s' version %d: removed", name, version);
      }
    }
  }

  private void drop(long version) {
    Work work = works.remove(version);
    cancel(work);
    registry.remove(name, version);
    letGo(work);
  }

  private void start(long version, Work work) {
    registry.loading(name, version, "");
    work.done = new CompletableFuture<>();
    VersionLoad load =
        new VersionLoad(
            tools,
            name,
            version,
            settings.orElseThrow(),
            work.origin.location(),
            work.staging,
            new VersionLoad.Progress() {
              @Override
              public Optional<LoadedModel> answering() {
                return registry.answering(name, version);
              }

              @Override
              public void answers(LoadedModel model) {
                answer(version, work, model);
              }
            });
    work.running = Optional.of(load);
    loaders.execute(() -> finished(version, work, load, load.run()));
  }

  private synchronized void answer(long version, Work work, LoadedModel model) {
    if (!ended && works.get(version) == work) {
      registry.answers(name, version, model);
      if (model.hasWhatIsRequired()) {
        work.usable.complete(null);
      }
    }
  }

  private void finished(long version, Work work, VersionLoad load, VersionLoad.Result result) {
    synchronized (this) {
      work.running = Optional.empty();
      work.outcome = Optional.of(result.outcome());
      if (ended || works.get(version) != work) {
        result.staging().ifPresent(Staging::abandon);
      } else {
        settle(version, work, load, result);
        reconcile();
      }
    }
    work.usable.complete(null);
    work.done.complete(result.outcome());
  }

  private void settle(long version, Work work, VersionLoad load, VersionLoad.Result result) {
    // A load that failed beside a model that answers leaves that model's staging as it was.
    work.staging = result.staging().or(() -> work.staging);
    switch (result.outcome()) {
      case Outcome.Whole() -> {
        registry.ended(name, version, true, "");
        LOG.infof(
            "model '%s' version %d: ready at %s bits (%d ms)",
            name,
            version,
            registry.answering(name, version).orElseThrow().card().precisions(),
            load.elapsed().toMillis());
      }
      case Outcome.Partial(String note) -> {
        registry.loading(name, version, note);
        registry.ended(name, version, note.isEmpty(), note);
        LOG.infof(
            "model '%s' version %d: as far as its source goes%s",
            name, version, note.isEmpty() ? "" : ": " + note);
      }
      case Outcome.Failed(LoadObserver.Cause cause, String reason) -> {
        tools.observer().failed(name, cause);
        registry.failed(name, version, reason);
        LOG.errorf("model '%s' version %d: not loaded: %s", name, version, reason);
      }
    }
  }

  /// Moves labels whose version is complete, and then lets go what is neither wanted nor labelled.
  private void reconcile() {
    Map<String, Long> labels = new HashMap<>();
    Map<String, Long> before = registry.labels(name);
    settings
        .orElseThrow()
        .labels()
        .forEach(
            (label, target) -> {
              if (registry.isSettled(name, target)) {
                labels.put(label, target);
              } else if (before.containsKey(label)) {
                labels.put(label, before.get(label));
              }
            });
    registry.labels(name, labels);
    boolean answered =
        wanted.stream().allMatch(version -> works.get(version).running.isEmpty())
            && wanted.stream().anyMatch(version -> registry.isSettled(name, version));
    for (long version : List.copyOf(works.keySet())) {
      if (answered && !wanted.contains(version) && !labels.containsValue(version)) {
        drop(version);
        LOG.infof("model '%s' version %d: no longer wanted", name, version);
      }
    }
  }
}
