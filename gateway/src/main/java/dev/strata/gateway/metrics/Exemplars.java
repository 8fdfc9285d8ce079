package dev.strata.gateway.metrics;

import io.prometheus.client.exemplars.ExemplarSampler;
import io.quarkus.micrometer.runtime.export.exemplars.OpentelemetryExemplarSamplerProvider;
import jakarta.annotation.Priority;
import jakarta.enterprise.inject.Alternative;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.util.Optional;

/// Lets metrics point to traces where there are some. The framework would look for one at every
/// count, which takes as long as the counting.
@Singleton
final class Exemplars {

  @Produces
  @Singleton
  @Alternative
  @Priority(1)
  Optional<ExemplarSampler> sampler(Tracing tracing) {
    return tracing.tracer().isPresent()
        ? new OpentelemetryExemplarSamplerProvider().exemplarSampler()
        : Optional.empty();
  }
}
