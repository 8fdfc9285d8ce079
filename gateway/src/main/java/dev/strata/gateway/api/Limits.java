package dev.strata.gateway.api;

import dev.strata.gateway.GatewayConfig;
import dev.strata.gateway.call.InferenceException;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

/// What one request may have at most, the same for every protocol and every form of its tensors.
/// [GatewayConfig.Limits] says what each number means.
public record Limits(
    int messageBytes,
    int decompressionRatio,
    int tensors,
    int rank,
    int elementBytes,
    int idBytes,
    int parameters,
    int parameterBytes,
    int jsonDepth,
    int jsonDigits) {

  /// Makes the record out of the settings.
  @Singleton
  static final class Source {
    private final GatewayConfig config;

    Source(GatewayConfig config) {
      this.config = config;
    }

    @Produces
    @Singleton
    Limits limits() {
      GatewayConfig.Limits limits = config.limits();
      return new Limits(
          limits.messageBytes(),
          limits.decompressionRatio(),
          limits.tensors(),
          limits.rank(),
          limits.elementBytes(),
          limits.idBytes(),
          limits.parameters(),
          limits.parameterBytes(),
          limits.jsonDepth(),
          limits.jsonDigits());
    }
  }

  /// @param field what was counted, as the message names it
  /// @throws InferenceException if there is more than allowed
  public static void atMost(String field, long got, long most) {
    if (got > most) {
      throw InferenceException.invalid(
          "%s: got %d, expected at most %d".formatted(field, got, most));
    }
  }
}
