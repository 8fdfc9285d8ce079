package dev.strata.gateway;

import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.time.Duration;
import java.util.Map;

/// Settings as the gateway would read them, without the gateway.
public final class TestConfig {

  private static final int PRIORITY = 200;

  private TestConfig() {}

  public static GatewayConfig with(Map<String, String> settings) {
    return new SmallRyeConfigBuilder()
        .addDefaultInterceptors()
        .withConverter(Duration.class, PRIORITY, new DurationConverter())
        .withMapping(GatewayConfig.class)
        .withDefaultValues(settings)
        .build()
        .getConfigMapping(GatewayConfig.class);
  }
}
