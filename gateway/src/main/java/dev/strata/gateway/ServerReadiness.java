package dev.strata.gateway;

import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelState;
import dev.strata.precision.Bits;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.configuration.ConfigurationException;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Whether the server is ready, and if not, why: every model that was on disk at the start has been
/// loaded or has failed, every required model is there at its width, and the server is not leaving.
@Singleton
public final class ServerReadiness {

  private static final Pattern REQUIRED = Pattern.compile("([^@]+)(?:@([1-8]))?");

  private record Required(String model, Optional<Bits> bits) {}

  private final RepositoryWatch watch;
  private final ModelRegistry registry;
  private final Drain drain;
  private final List<Required> required;

  ServerReadiness(
      GatewayConfig config, RepositoryWatch watch, ModelRegistry registry, Drain drain) {
    this.watch = watch;
    this.registry = registry;
    this.drain = drain;
    this.required =
        config.readiness().models().orElse(List.of()).stream()
            .map(ServerReadiness::required)
            .toList();
  }

  void show(@Observes StartupEvent event, MeterRegistry meters) {
    Gauge.builder("strata.ready", this, readiness -> readiness.ready() ? 1 : 0)
        .description("1 while the server is ready for requests")
        .register(meters);
  }

  private static Required required(String text) {
    Matcher matcher = REQUIRED.matcher(text);
    if (!matcher.matches()) {
      throw new ConfigurationException(
          "strata.readiness.models: got '%s', expected a name, or a name, @ and 1 to 8"
              .formatted(text));
    }
    return new Required(
        matcher.group(1),
        Optional.ofNullable(matcher.group(2)).map(bits -> new Bits(Integer.parseInt(bits))));
  }

  public boolean ready() {
    return missing().isEmpty();
  }

  /// What the server still waits for; empty when it is ready.
  public List<String> missing() {
    if (drain.leaving()) {
      return List.of("the server is shutting down");
    }
    if (!watch.settled()) {
      return List.of("models are being loaded");
    }
    if (required.isEmpty()) {
      return List.of();
    }
    List<ModelRegistry.Entry> entries = registry.entries();
    return required.stream()
        .filter(wanted -> entries.stream().noneMatch(entry -> satisfies(entry, wanted)))
        .map(
            wanted ->
                "model '%s'%s"
                    .formatted(
                        wanted.model(),
                        wanted.bits().map(bits -> " at %s bits".formatted(bits)).orElse("")))
        .toList();
  }

  private static boolean satisfies(ModelRegistry.Entry entry, Required wanted) {
    return entry.name().equals(wanted.model())
        && entry.state() instanceof ModelState.Ready(var card, _)
        && wanted.bits().map(card.precisions()::contains).orElse(true);
  }
}
