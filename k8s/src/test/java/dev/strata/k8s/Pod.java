package dev.strata.k8s;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The pods that a rendered object makes, and their only container's environment.
///
/// @param owner kind and name of the object
/// @param labels of the pods
/// @param spec of the pods
/// @param container the gateway's
/// @param environment settings of the ConfigMap, and over them those of the container
record Pod(
    String owner,
    JsonNode labels,
    JsonNode spec,
    JsonNode container,
    Map<String, String> environment) {

  Pod {
    environment = Map.copyOf(environment);
  }

  static List<Pod> of(List<JsonNode> objects) {
    List<Pod> pods = new ArrayList<>();
    for (JsonNode object : objects) {
      switch (object.path("kind").asText()) {
        case "Deployment" -> {
          JsonNode template = object.at("/spec/template");
          pods.add(of(object, template.at("/metadata/labels"), template.path("spec"), objects));
        }
        case "ServingRuntime", "ClusterServingRuntime" ->
            pods.add(of(object, object.at("/spec/labels"), object.path("spec"), objects));
        default -> {}
      }
    }
    return pods;
  }

  private static Pod of(JsonNode object, JsonNode labels, JsonNode spec, List<JsonNode> objects) {
    JsonNode container = spec.at("/containers/0");
    Map<String, String> environment = new LinkedHashMap<>();
    for (JsonNode from : container.path("envFrom")) {
      String name = from.at("/configMapRef/name").asText();
      find(objects, "ConfigMap", name).path("data").properties().stream()
          .forEach(entry -> environment.put(entry.getKey(), entry.getValue().asText()));
    }
    for (JsonNode variable : container.path("env")) {
      environment.put(variable.path("name").asText(), variable.path("value").asText());
    }
    return new Pod(name(object), labels, spec, container, environment);
  }

  /// @return the object; a missing node if there is none
  static JsonNode find(List<JsonNode> objects, String kind, String name) {
    return objects.stream()
        .filter(object -> object.path("kind").asText().equals(kind))
        .filter(object -> object.at("/metadata/name").asText().equals(name))
        .findFirst()
        .orElse(com.fasterxml.jackson.databind.node.MissingNode.getInstance());
  }

  static String name(JsonNode object) {
    return object.path("kind").asText() + " " + object.at("/metadata/name").asText();
  }
}
