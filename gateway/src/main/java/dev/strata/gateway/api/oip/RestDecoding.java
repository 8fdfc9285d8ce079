package dev.strata.gateway.api.oip;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.strata.gateway.api.Limits;
import dev.strata.gateway.registry.ModelRegistry;
import io.quarkus.virtual.threads.VirtualThreads;
import jakarta.inject.Singleton;
import jakarta.ws.rs.core.HttpHeaders;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;

/// What it takes to read inferences over REST.
@Singleton
final class RestDecoding {

  private final ModelRegistry registry;
  private final Limits limits;
  private final JsonFactory json;
  private final ObjectMapper trees;
  private final Executor threads;

  RestDecoding(ModelRegistry registry, Limits limits, @VirtualThreads ExecutorService threads) {
    this.registry = registry;
    this.limits = limits;
    this.json = OipJson.within(limits);
    this.trees = new ObjectMapper(json);
    this.threads = threads;
  }

  RestInference of(String model, Optional<String> version, HttpHeaders headers, RestBody body) {
    return new RestInference(this, model, version, headers, body);
  }

  ModelRegistry registry() {
    return registry;
  }

  Limits limits() {
    return limits;
  }

  JsonFactory json() {
    return json;
  }

  /// For what would keep an event loop or a worker busy for too long.
  Executor threads() {
    return threads;
  }

  /// For bodies that are small by nature.
  ObjectMapper trees() {
    return trees;
  }
}
