package dev.strata.loadtest.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// One mapping of a YAML file, read key by key. What was not read when it is closed is an error.
final class Fields implements AutoCloseable {

  private final String path;
  private final JsonNode node;
  private final Set<String> known = new HashSet<>();

  private Fields(String path, JsonNode node) {
    this.path = path;
    this.node = node;
  }

  /// @param path of the mapping within the file; empty for the file itself
  static Fields of(String path, JsonNode node) {
    if (!node.isObject()) {
      throw new InvalidScenarioException(
          "%s: got %s, expected a mapping".formatted(path.isEmpty() ? "scenario" : path, node));
    }
    return new Fields(path, node);
  }

  boolean has(String key) {
    known.add(key);
    return node.hasNonNull(key);
  }

  String text(String key, String otherwise) {
    return has(key) ? scalar(key).asText() : otherwise;
  }

  String text(String key) {
    require(key);
    return scalar(key).asText();
  }

  double number(String key, double otherwise, double least, double most) {
    return has(key) ? number(key, least, most) : otherwise;
  }

  double number(String key, double least, double most) {
    require(key);
    JsonNode value = node.get(key);
    if (!value.isNumber() || !(value.asDouble() >= least && value.asDouble() <= most)) {
      throw new InvalidScenarioException(
          "%s: got %s, expected a number from %s to %s"
              .formatted(path(key), value, plain(least), plain(most)));
    }
    return value.asDouble();
  }

  int integer(String key, int otherwise, int least, int most) {
    double number = number(key, otherwise, least, most);
    if (number != Math.rint(number)) {
      throw new InvalidScenarioException(
          "%s: got %s, expected an integer".formatted(path(key), number));
    }
    return (int) number;
  }

  boolean flag(String key) {
    if (!has(key)) {
      return false;
    }
    if (!node.get(key).isBoolean()) {
      throw new InvalidScenarioException(
          "%s: got %s, expected true or false".formatted(path(key), node.get(key)));
    }
    return node.get(key).asBoolean();
  }

  /// The mapping below a key, empty if there is none.
  Fields below(String key) {
    return of(path(key), has(key) ? node.get(key) : JsonNodeFactory.instance.objectNode());
  }

  /// The mappings of a list, at least one.
  List<Fields> list(String key) {
    List<Fields> list = new ArrayList<>();
    for (JsonNode item : items(key)) {
      list.add(of("%s[%d]".formatted(path(key), list.size()), item));
    }
    return list;
  }

  /// The scalars of a list, at least one.
  List<String> texts(String key) {
    List<String> texts = new ArrayList<>();
    items(key).forEach(item -> texts.add(item.asText()));
    return texts;
  }

  private JsonNode items(String key) {
    require(key);
    JsonNode list = node.get(key);
    if (!list.isArray() || list.isEmpty()) {
      throw new InvalidScenarioException(
          "%s: got %s, expected a list with at least one item".formatted(path(key), list));
    }
    return list;
  }

  /// Every entry, as it stands in the file.
  Map<String, Object> scalars() {
    Map<String, Object> scalars = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      JsonNode value = scalar(entry.getKey());
      known.add(entry.getKey());
      Object scalar =
          value.isBoolean()
              ? (Object) value.asBoolean()
              : value.isIntegralNumber()
                  ? (Object) value.asLong()
                  : value.isNumber() ? (Object) value.asDouble() : value.asText();
      scalars.put(entry.getKey(), scalar);
    }
    return scalars;
  }

  String path(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  InvalidScenarioException wrong(String key, Object got, String expected) {
    return new InvalidScenarioException(
        "%s: got %s, expected %s".formatted(path(key), got, expected));
  }

  private JsonNode scalar(String key) {
    JsonNode value = node.get(key);
    if (!value.isValueNode()) {
      throw wrong(key, value, "one value");
    }
    return value;
  }

  private void require(String key) {
    if (!has(key)) {
      throw new InvalidScenarioException("%s: is missing".formatted(path(key)));
    }
  }

  private static String plain(double number) {
    return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
  }

  /// @throws InvalidScenarioException naming the first key that nobody asked for
  @Override
  public void close() {
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      if (!known.contains(entry.getKey())) {
        throw new InvalidScenarioException(
            "%s: unknown key, expected one of %s"
                .formatted(path(entry.getKey()), known.stream().sorted().toList()));
      }
    }
  }
}
