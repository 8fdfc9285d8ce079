package dev.strata.gateway.health;

import dev.strata.gateway.ServerReadiness;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelState;
import jakarta.inject.Singleton;
import java.util.List;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Readiness;

/// What [ServerReadiness] says, and how each model stands.
@Readiness
@Singleton
public final class ModelsReady implements HealthCheck {

  private final ServerReadiness readiness;
  private final ModelRegistry registry;

  ModelsReady(ServerReadiness readiness, ModelRegistry registry) {
    this.readiness = readiness;
    this.registry = registry;
  }

  @Override
  public HealthCheckResponse call() {
    List<String> missing = readiness.missing();
    HealthCheckResponseBuilder response =
        HealthCheckResponse.named("models").status(missing.isEmpty());
    if (!missing.isEmpty()) {
      response.withData("missing", String.join(", ", missing));
    }
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
