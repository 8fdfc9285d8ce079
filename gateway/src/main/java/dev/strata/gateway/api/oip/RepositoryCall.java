package dev.strata.gateway.api.oip;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import dev.strata.gateway.api.TensorReader;
import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Set;

/// What calls of the repository extension may say, on both transports.
///
/// @param ready of an index: only versions that are ready
record RepositoryCall(boolean ready) {

  private static final String DEPENDENTS = "unload_dependents";

  /// The repository's name must be left out: there is one.
  static void requireOne(String repository) {
    if (!repository.isEmpty()) {
      throw new InferenceException(
          ErrorCode.NOT_OFFERED,
          "repository_name: got '%s', expected none".formatted(TensorReader.excerpt(repository)));
    }
  }

  /// Neither files nor settings of a model come over the wire.
  static void loadParameters(Set<String> names) {
    for (String name : names) {
      throw InferenceException.invalid(
          "parameters: got '%s', expected none; a model is configured by its model.yaml"
              .formatted(TensorReader.excerpt(name)));
    }
  }

  static void unloadParameters(Set<String> names) {
    for (String name : names) {
      if (!name.equals(DEPENDENTS)) {
        throw InferenceException.invalid(
            "parameters: got '%s', expected %s or none"
                .formatted(TensorReader.excerpt(name), DEPENDENTS));
      }
    }
  }

  static RepositoryCall index(ObjectMapper json, byte[] body) {
    JsonNode ready = object(json, body).path("ready");
    if (!ready.isMissingNode() && !ready.isBoolean()) {
      throw InferenceException.invalid(
          "ready: got %s, expected true or false"
              .formatted(TensorReader.excerpt(ready.toString())));
    }
    return new RepositoryCall(ready.asBoolean(false));
  }

  static void load(ObjectMapper json, byte[] body) {
    loadParameters(parameters(json, body));
  }

  static void unload(ObjectMapper json, byte[] body) {
    unloadParameters(parameters(json, body));
  }

  private static Set<String> parameters(ObjectMapper json, byte[] body) {
    JsonNode parameters = object(json, body).path("parameters");
    if (!parameters.isMissingNode() && !parameters.isObject()) {
      throw InferenceException.invalid("parameters: got something else, expected an object");
    }
    return parameters.properties().stream()
        .map(java.util.Map.Entry::getKey)
        .collect(java.util.stream.Collectors.toCollection(java.util.TreeSet::new));
  }

  private static JsonNode object(ObjectMapper json, byte[] body) {
    if (body.length == 0) {
      return NullNode.getInstance();
    }
    JsonNode tree;
    try {
      tree = json.readTree(body);
    } catch (JsonProcessingException malformed) {
      throw OipJson.malformed("body", malformed);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    if (!tree.isObject()) {
      throw InferenceException.invalid("body: expected a JSON object, or nothing");
    }
    return tree;
  }
}
