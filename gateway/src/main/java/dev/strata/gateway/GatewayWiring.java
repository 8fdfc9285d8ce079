package dev.strata.gateway;

import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelRepository;
import dev.strata.gateway.scheduling.Scheduler;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

/// Makes the parts that know nothing of the framework out of the configuration.
@Singleton
final class GatewayWiring {

  private final GatewayConfig config;

  GatewayWiring(GatewayConfig config) {
    check(config);
    this.config = config;
  }

  private static void check(GatewayConfig config) {
    inRange("repository-poll (ms)", config.repositoryPoll().toMillis(), 10, 3_600_000);
    inRange("scheduling.workers", workers(config), 1, 1024);
    inRange("scheduling.queue-capacity", config.scheduling().queueCapacity(), 1, 1_000_000);
    inRange("limits.message-bytes", config.limits().messageBytes(), 1024, Integer.MAX_VALUE);
    inRange("limits.rows", config.limits().rows(), 1, 1_000_000);
  }

  private static int workers(GatewayConfig config) {
    return config
        .scheduling()
        .workers()
        .orElseGet(() -> Runtime.getRuntime().availableProcessors());
  }

  @Produces
  @Singleton
  ModelRegistry registry() {
    return new ModelRegistry();
  }

  void close(@Disposes ModelRegistry registry) {
    registry.close();
  }

  @Produces
  @Singleton
  ModelRepository repository(ModelRegistry registry) {
    return new ModelRepository(config.repositories(), registry);
  }

  @Produces
  @Singleton
  Scheduler scheduler() {
    return new Scheduler(workers(config), config.scheduling().queueCapacity());
  }

  void close(@Disposes Scheduler scheduler) {
    scheduler.close();
  }

  private static void inRange(String setting, long value, long least, long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          "strata.%s: got %d, expected %d to %d".formatted(setting, value, least, most));
    }
  }
}
