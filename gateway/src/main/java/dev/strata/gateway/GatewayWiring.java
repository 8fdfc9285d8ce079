package dev.strata.gateway;

import dev.strata.gateway.cache.AnswerCaches;
import dev.strata.gateway.metrics.SchedulingMetrics;
import dev.strata.gateway.policy.OverloadWatch;
import dev.strata.gateway.registry.LoadObserver;
import dev.strata.gateway.registry.MemoryBudget;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelRepository;
import dev.strata.gateway.registry.SignaturePolicy;
import dev.strata.gateway.scheduling.Scheduler;
import io.quarkus.runtime.configuration.ConfigurationException;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// Makes the parts that know nothing of the framework out of the configuration.
@Singleton
final class GatewayWiring {

  private static final long DAY_MILLIS = 86_400_000;

  private final GatewayConfig config;

  GatewayWiring(GatewayConfig config) {
    check(config);
    this.config = config;
  }

  private static void check(GatewayConfig config) {
    inRange("repository-poll (ms)", config.repositoryPoll().toMillis(), 10, 3_600_000);
    inRange("loading.threads", config.loading().threads(), 1, 64);
    inRange("loading.stall (ms)", config.loading().stall().toMillis(), 100, 3_600_000);
    inRange("cache.max-bytes", config.cache().maxBytes(), 1, Long.MAX_VALUE);
    inRange("memory.budget-bytes", config.memory().budgetBytes().orElse(1), 1, Long.MAX_VALUE);
    inRange("memory.idle (ms)", config.memory().idle().toMillis(), 0, 86_400_000);
    inRange("scheduling.workers", workers(config), 1, 1024);
    inRange("scheduling.queue-capacity", config.scheduling().queueCapacity(), 1, 1_000_000);
    check(config.limits());
    inRange("grpc.port", config.grpc().port(), 0, 65_535);
    inRange("grpc.window", config.grpc().window(), 1 << 16, 1 << 30);
    inRange("grpc.connection-age (ms)", config.grpc().connectionAge().toMillis(), 1000, DAY_MILLIS);
    inRange("management.port", config.management().port().orElse(0), 0, 65_535);
    inRange("shutdown.delay (ms)", config.shutdown().delay().toMillis(), 0, 600_000);
    inRange("shutdown.timeout (ms)", config.shutdown().timeout().toMillis(), 0, 600_000);
  }

  private static void check(GatewayConfig.Limits limits) {
    inRange("limits.message-bytes", limits.messageBytes(), 1024, Integer.MAX_VALUE);
    inRange("limits.decompression-ratio", limits.decompressionRatio(), 1, 100_000);
    inRange("limits.bytes-in-flight", limits.bytesInFlight().orElse(1024), 1024, Long.MAX_VALUE);
    inRange("limits.rows", limits.rows(), 1, 1_000_000);
    inRange("limits.tensors", limits.tensors(), 1, 1024);
    inRange("limits.rank", limits.rank(), 1, 64);
    inRange("limits.element-bytes", limits.elementBytes(), 1, 1 << 30);
    inRange("limits.id-bytes", limits.idBytes(), 1, 1 << 16);
    inRange("limits.parameters", limits.parameters(), 1, 1024);
    inRange("limits.parameter-bytes", limits.parameterBytes(), 1, 1 << 20);
    inRange("limits.json-depth", limits.jsonDepth(), 4, 1000);
    inRange("limits.json-digits", limits.jsonDigits(), 1, 10_000);
    inRange("limits.header-bytes", limits.headerBytes(), 1024, 1 << 20);
    inRange("limits.streams", limits.streams(), 1, 100_000);
    inRange("limits.resets", limits.resets(), 1, 1_000_000);
    inRange("limits.idle (ms)", limits.idle().toMillis(), 1000, DAY_MILLIS);
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
  ModelRepository repository(ModelRegistry registry, LoadObserver observer) {
    try {
      return new ModelRepository(
          new ModelRepository.Options(
              config.repositories(),
              config.modelControl(),
              config.load().orElse(List.of()),
              config.cache().directory(),
              config.cache().maxBytes(),
              config.memory().budgetBytes().orElse(MemoryBudget.NO_LIMIT),
              config.memory().idle(),
              signatures(),
              config.loading().threads(),
              config.loading().stall()),
          registry,
          observer);
    } catch (IOException failure) {
      throw new IllegalArgumentException(
          "strata.cache.directory: " + failure.getMessage(), failure);
    }
  }

  private SignaturePolicy signatures() {
    SignaturePolicy.Strictness strictness = config.signature().policy();
    if (strictness == SignaturePolicy.Strictness.OFF) {
      return SignaturePolicy.NONE;
    }
    Path keys =
        config
            .signature()
            .keys()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "strata.signature.keys: got none, expected a directory of public keys"));
    try {
      return SignaturePolicy.of(strictness, keys);
    } catch (IOException unusable) {
      throw new IllegalArgumentException(
          "strata.signature.keys: " + unusable.getMessage(), unusable);
    }
  }

  void close(@Disposes ModelRepository repository) {
    repository.close();
  }

  @Produces
  @Singleton
  Scheduler scheduler() {
    return new Scheduler(workers(config), config.scheduling().queueCapacity());
  }

  void close(@Disposes Scheduler scheduler) {
    scheduler.close();
  }

  @Produces
  @Singleton
  OverloadWatch overloadWatch(SchedulingMetrics metrics) {
    return new OverloadWatch(config.scheduling().brownOut(), metrics::brownOutChanged);
  }

  @Produces
  @Singleton
  AnswerCaches answerCaches() {
    return new AnswerCaches();
  }

  private static void inRange(String setting, long value, long least, long most) {
    if (value < least || value > most) {
      throw new ConfigurationException(
          "strata.%s: got %d, expected %d to %d".formatted(setting, value, least, most));
    }
  }
}
