package dev.strata.gateway;

import dev.strata.gateway.metrics.ModelMetrics;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelRepository;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.event.Event;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jboss.logging.Logger;

/// The thread that keeps the models in step: starts the loads of what is to be there at the start,
/// and then looks again and again at the repositories and the memory.
@Singleton
public final class RepositoryWatch {

  /// Every model that is to be there at the start answers with the widths it must have, or failed.
  public record Settled() {}

  private static final Logger LOG = Logger.getLogger(RepositoryWatch.class);

  private final GatewayConfig config;
  private final ModelRepository repository;
  private final ModelRegistry registry;
  private final ModelMetrics metrics;
  private final Event<Settled> settledEvent;
  private final Thread thread;
  private volatile boolean settled;

  RepositoryWatch(
      GatewayConfig config,
      ModelRepository repository,
      ModelRegistry registry,
      ModelMetrics metrics,
      Event<Settled> settledEvent) {
    this.config = config;
    this.repository = repository;
    this.registry = registry;
    this.metrics = metrics;
    this.settledEvent = settledEvent;
    this.thread =
        Thread.ofPlatform()
            .name("strata-repository")
            .daemon()
            .priority(Thread.MIN_PRIORITY)
            .unstarted(this::run);
  }

  /// @return whether every model that is to be there at the start answers with the widths it must
  ///     have, or has failed
  public boolean settled() {
    return settled;
  }

  void start(@Observes StartupEvent event) {
    metrics.showMemory(repository::residentBytes, config.memory().budgetBytes());
    var _ = repository.start().thenRun(this::settle);
    thread.start();
  }

  void stop(@Observes ShutdownEvent event) throws InterruptedException {
    thread.interrupt();
    thread.join();
  }

  private void settle() {
    if (!settled) {
      settled = true;
      settledEvent.fire(new Settled());
    }
  }

  private void run() {
    Duration poll = config.repositoryPoll();
    while (!Thread.currentThread().isInterrupted()) {
      try {
        repository.refresh();
        metrics.show(registry);
        Thread.sleep(poll);
      } catch (InterruptedException stop) {
        return;
      } catch (RuntimeException defect) {
        LOG.error("looking at the repository failed; trying again", defect);
        LockSupport.parkNanos(poll.toNanos());
      }
    }
  }
}
