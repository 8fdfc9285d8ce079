package dev.strata.gateway.registry;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.registry.RepositoryScan.Found;
import dev.strata.kernel.ThreadPriority;
import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/// Directories of models, `name/version/model.strata` with an optional `name/model.yaml`, kept in
/// step with the registry, by itself or on demand. Loads run on threads of their own. As soon as
/// a model answers these have a low priority and take only what serving leaves; before that all
/// wait for them.
public final class ModelRepository implements AutoCloseable {

  static final String FILE = RepositoryScan.ARTIFACT;

  /// Stands for every model in the list of those to load at the start.
  private static final String EVERY = "*";

  /// Who decides what is loaded.
  public enum Control {
    /// Everything that is there at the start, and then nothing more.
    NONE,
    /// Whatever is there, all the time.
    POLL,
    /// Whoever calls [#load] and [#unload].
    EXPLICIT
  }

  /// @param directories in order of precedence; one that does not exist yet counts as empty
  /// @param atStart under explicit control, names to load at the start; `*` for all
  /// @param cacheDirectory where artifacts are staged; empty for one that goes with the process
  /// @param cacheBytes most bytes of it
  /// @param budgetBytes most bytes of artifacts in memory; [MemoryBudget#NO_LIMIT] for no bound
  /// @param idle how long a model is unused before it gives planes back to another
  /// @param threads loads at a time
  /// @param stall how long a remote source may send nothing
  public record Options(
      List<Path> directories,
      Control control,
      List<String> atStart,
      Optional<Path> cacheDirectory,
      long cacheBytes,
      long budgetBytes,
      Duration idle,
      SignaturePolicy signatures,
      int threads,
      Duration stall) {

    /// A directory that is polled, with everything else as it is by default.
    public static Options of(Path directory) {
      return new Options(
          List.of(directory),
          Control.POLL,
          List.of(),
          Optional.empty(),
          Long.MAX_VALUE,
          MemoryBudget.NO_LIMIT,
          Duration.ofSeconds(10),
          SignaturePolicy.NONE,
          2,
          Duration.ofSeconds(30));
    }
  }

  private static final int REMOTE_ATTEMPTS = 8;
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);

  private final Options options;
  private final ModelRegistry registry;
  private final RepositoryScan scan;
  private final ArtifactCache cache;
  private final MemoryBudget budget;
  private final VersionLoad.Tools tools;
  private final Web web = new Web();
  private final ExecutorService loaders;
  private final AtomicInteger pending = new AtomicInteger();
  private final Map<String, ModelUpkeep> models = new TreeMap<>();

  /// @throws IOException if the cache directory cannot be used
  public ModelRepository(Options options, ModelRegistry registry, LoadObserver observer)
      throws IOException {
    this.options = options;
    this.registry = registry;
    this.scan = new RepositoryScan(options.directories());
    this.cache =
        options.cacheDirectory().isPresent()
            ? ArtifactCache.at(options.cacheDirectory().get(), options.cacheBytes())
            : ArtifactCache.temporary(options.cacheBytes());
    this.budget = new MemoryBudget(options.budgetBytes(), options.idle(), System::nanoTime);
    this.tools =
        new VersionLoad.Tools(cache, budget, options.signatures(), observer, this::stayBehind);
    this.loaders =
        Executors.newFixedThreadPool(
            options.threads(), Thread.ofPlatform().name("strata-loader").daemon().factory());
  }

  /// Called by loading threads, now and then.
  private void stayBehind() {
    if (!registry.answering().isEmpty()) {
      ThreadPriority.lower();
    }
  }

  /// Begins to load what is to be there at the start.
  ///
  /// @return done when each such model answers with the widths it must have, or has failed
  public synchronized CompletableFuture<Void> start() {
    Map<String, Found> found = scan.find();
    found.forEach(
        (name, model) -> {
          if (options.control() != Control.EXPLICIT
              || options.atStart().contains(EVERY)
              || options.atStart().contains(name)) {
            upkeep(name).update(model, false);
          }
        });
    know(found);
    return CompletableFuture.allOf(
        models.values().stream().map(ModelUpkeep::usable).toArray(CompletableFuture<?>[]::new));
  }

  /// Looks at the directories. Under polling, loads what is new or changed and takes out what has
  /// gone; else only goes on with files that are still growing. Then uses memory that has become
  /// free.
  public synchronized void refresh() {
    Map<String, Found> found = scan.find();
    if (options.control() == Control.POLL) {
      for (String name : List.copyOf(models.keySet())) {
        if (!found.containsKey(name)) {
          models.remove(name).remove();
        }
      }
      found.forEach((name, model) -> upkeep(name).update(model, false));
    } else {
      models.forEach(
          (name, upkeep) -> Optional.ofNullable(found.get(name)).ifPresent(upkeep::grow));
    }
    know(found);
    budget.giveBack().ifPresent(this::bringBack);
  }

  private void bringBack(ResidentPlanes planes) {
    models.values().stream()
        .flatMap(upkeep -> upkeep.holder(planes).stream())
        .findFirst()
        .ifPresent(
            staging ->
                inBackground(
                    () -> {
                      staging.bringBack();
                      budget.giveBack().ifPresent(this::bringBack);
                    }));
  }

  private void inBackground(Runnable task) {
    pending.incrementAndGet();
    loaders.execute(
        () -> {
          try {
            stayBehind();
            task.run();
          } finally {
            pending.decrementAndGet();
          }
        });
  }

  /// Whether anything is being loaded or brought back.
  boolean isBusy() {
    return pending.get() > 0;
  }

  private void know(Map<String, Found> found) {
    if (options.control() == Control.EXPLICIT) {
      registry.known(found.keySet());
    }
  }

  private ModelUpkeep upkeep(String name) {
    return models.computeIfAbsent(
        name,
        _ ->
            new ModelUpkeep(
                name,
                tools,
                registry,
                this::inBackground,
                uri ->
                    new ArtifactLocation.Remote(
                        web.client(),
                        uri,
                        new RemoteSource.Patience(options.stall(), REMOTE_ATTEMPTS, FIRST_PAUSE))));
  }

  /// Loads a model, or looks again at one that is loaded.
  ///
  /// @return done when every version of it that is wanted has all that its source has; else failed
  ///     with an [InferenceException]
  public CompletableFuture<Void> load(String name) {
    return CompletableFuture.completedFuture(name)
        .thenComposeAsync(this::beginLoad, Thread::startVirtualThread);
  }

  private synchronized CompletableFuture<Void> beginLoad(String name) {
    requireExplicit("load");
    Map<String, Found> found = scan.find();
    know(found);
    if (!found.containsKey(name)) {
      throw notFound(name, found.keySet());
    }
    ModelUpkeep upkeep = upkeep(name);
    upkeep.update(found.get(name), true);
    return upkeep.loaded();
  }

  /// Takes a model out of service. New requests are refused at once; those under way finish.
  ///
  /// @return done when no new request is taken; failed with an [InferenceException] if the model is
  ///     not there, or control is not explicit
  public CompletableFuture<Void> unload(String name) {
    return CompletableFuture.runAsync(() -> endService(name), Thread::startVirtualThread);
  }

  private synchronized void endService(String name) {
    requireExplicit("unload");
    ModelUpkeep upkeep = models.remove(name);
    if (upkeep == null) {
      throw notFound(name, models.keySet());
    }
    upkeep.unload();
  }

  private void requireExplicit(String what) {
    if (options.control() != Control.EXPLICIT) {
      throw new InferenceException(
          ErrorCode.NOT_OFFERED,
          "%s: got strata.model-control=%s, expected explicit"
              .formatted(what, options.control().name().toLowerCase(Locale.ROOT)));
    }
  }

  private static InferenceException notFound(String name, Set<String> known) {
    return new InferenceException(
        ErrorCode.MODEL_NOT_FOUND,
        "model: got '%s', expected one of %s"
            .formatted(name, known.stream().sorted().collect(Collectors.toList())));
  }

  /// Bytes of artifacts in memory.
  public long residentBytes() {
    return budget.used();
  }

  /// Ends loading. Call it after the registry has been closed and nobody uses a model any more.
  @Override
  public void close() {
    synchronized (this) {
      models.values().forEach(ModelUpkeep::remove);
      models.clear();
    }
    loaders.shutdownNow();
    loaders.close();
    web.close();
    cache.close();
  }

  /// The client of remote sources. Most repositories have none, and making it takes a tenth of the
  /// time that the gateway needs to start.
  private static final class Web {
    private Optional<HttpClient> client = Optional.empty();

    synchronized HttpClient client() {
      if (client.isEmpty()) {
        client =
            Optional.of(
                HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build());
      }
      return client.get();
    }

    synchronized void close() {
      client.ifPresent(
          used -> {
            used.shutdownNow();
            used.close();
          });
    }
  }
}
