package dev.strata.gateway.health;

import dev.strata.gateway.ServerReadiness;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelState;
import io.grpc.BindableService;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/// The service `grpc.health.v1.Health`, `Check` and `Watch`. The empty name and the names of our
/// services tell readiness, `live` is always serving, and `models/NAME` and `models/NAME/VERSION`
/// tell whether that model can be asked.
@Singleton
public final class GrpcHealth implements BindableService {

  private static final List<String> SERVER =
      List.of("", "inference.GRPCInferenceService", "strata.v1.Strata");
  private static final int LOOK_MILLIS = 100;

  private final HealthStatusManager health = new HealthStatusManager();
  private final ServerReadiness readiness;
  private final ModelRegistry registry;
  private final ScheduledExecutorService looking =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("strata-health").factory());
  private Map<String, ServingStatus> told = Map.of();

  GrpcHealth(ServerReadiness readiness, ModelRegistry registry) {
    this.readiness = readiness;
    this.registry = registry;
    health.setStatus("live", ServingStatus.SERVING);
    SERVER.forEach(service -> health.setStatus(service, ServingStatus.NOT_SERVING));
  }

  @Override
  public ServerServiceDefinition bindService() {
    return health.getHealthService().bindService();
  }

  void start(@Observes StartupEvent event) {
    var _ = looking.scheduleWithFixedDelay(this::look, 0, LOOK_MILLIS, TimeUnit.MILLISECONDS);
  }

  @PreDestroy
  void stop() {
    looking.shutdownNow();
  }

  private void look() {
    Map<String, ServingStatus> now = statuses();
    now.forEach(
        (service, status) -> {
          if (told.get(service) != status) {
            health.setStatus(service, status);
          }
        });
    Set<String> gone = new HashSet<>(told.keySet());
    gone.removeAll(now.keySet());
    gone.forEach(health::clearStatus);
    told = now;
  }

  private Map<String, ServingStatus> statuses() {
    Map<String, ServingStatus> statuses = new HashMap<>();
    ServingStatus ready = status(readiness.ready());
    SERVER.forEach(service -> statuses.put(service, ready));
    for (ModelRegistry.Entry entry : registry.entries()) {
      ServingStatus version = status(entry.state() instanceof ModelState.Ready);
      statuses.put("models/%s/%s".formatted(entry.name(), entry.version()), version);
      statuses.merge(
          "models/" + entry.name(),
          version,
          (one, other) -> status(one == ServingStatus.SERVING || other == ServingStatus.SERVING));
    }
    return statuses;
  }

  private static ServingStatus status(boolean serving) {
    return serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }
}
