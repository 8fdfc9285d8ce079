package dev.strata.gateway.health;

import dev.strata.gateway.RepositoryWatch;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelState;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Readiness;

/// Ready when every model that was on disk at the start has been loaded or has failed. Models that
/// come later do not change it; the data say how each stands.
@Readiness
@Singleton
public final class ModelsReady implements HealthCheck {

  private final RepositoryWatch watch;
  private final ModelRegistry registry;

  ModelsReady(RepositoryWatch watch, ModelRegistry registry) {
    this.watch = watch;
    this.registry = registry;
  }

  @Override
  public HealthCheckResponse call() {
    HealthCheckResponseBuilder response =
        HealthCheckResponse.named("models").status(watch.settled());
    for (ModelRegistry.Entry entry : registry.entries()) {
      String state =
          switch (entry.state()) {
            case ModelState.Loading() -> "loading";
            case ModelState.Ready(var card) -> "ready at %s bits".formatted(card.precisions());
            case ModelState.Failed(String reason) -> "failed: " + reason;
          };
      response.withData(entry.name() + "/" + entry.version(), state);
    }
    return response.build();
  }
}
