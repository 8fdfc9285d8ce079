package dev.strata.gateway.health;

import dev.strata.gateway.RepositoryWatch;
import grpc.health.v1.HealthOuterClass.HealthCheckResponse.ServingStatus;
import io.quarkus.grpc.runtime.health.GrpcHealthStorage;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.List;

/// Makes the gRPC health service tell readiness, which by itself says SERVING from the start.
@Singleton
public final class GrpcHealth {

  private final GrpcHealthStorage storage;
  private final RepositoryWatch watch;

  GrpcHealth(GrpcHealthStorage storage, RepositoryWatch watch) {
    this.storage = storage;
    this.watch = watch;
  }

  void start(@Observes StartupEvent event) {
    set(ServingStatus.NOT_SERVING);
    // The models may have been faster than this observer.
    if (watch.settled()) {
      set(ServingStatus.SERVING);
    }
  }

  void settled(@Observes RepositoryWatch.Settled event) {
    set(ServingStatus.SERVING);
  }

  private void set(ServingStatus status) {
    for (String service : List.copyOf(storage.getStatuses().keySet())) {
      storage.setStatus(service, status);
    }
  }
}
