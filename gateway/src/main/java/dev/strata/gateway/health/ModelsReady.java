package dev.strata.gateway.health;

import dev.strata.gateway.RepositoryWatch;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelState;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Readiness;

/// Ready when every model that is to be there at the start answers with the widths its owner
/// requires, or has failed. Models that come later do not change it; the data say how each stands.
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
            case ModelState.Known() -> "not loaded";
            case ModelState.Loading(String note) -> "loading" + because(note);
            case ModelState.Ready(var card, String note) ->
                "ready at %s bits%s".formatted(card.precisions(), because(note));
            case ModelState.Failed(String reason) -> "failed" + because(reason);
            case ModelState.Unloading() -> "unloading";
            case ModelState.Unloaded() -> "unloaded";
          };
      response.withData(entry.name() + "/" + entry.version(), state);
    }
    return response.build();
  }

  private static String because(String reason) {
    return reason.isEmpty() ? "" : ": " + reason;
  }
}
