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
    this.config = config;
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
    int workers =
        config.scheduling().workers().orElseGet(() -> Runtime.getRuntime().availableProcessors());
    return new Scheduler(
        inRange("strata.scheduling.workers", workers, 1, 1024),
        inRange(
            "strata.scheduling.queue-capacity", config.scheduling().queueCapacity(), 1, 1_000_000));
  }

  void close(@Disposes Scheduler scheduler) {
    scheduler.close();
  }

  private static int inRange(String setting, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          "%s: got %d, expected %d to %d".formatted(setting, value, least, most));
    }
    return value;
  }
}
