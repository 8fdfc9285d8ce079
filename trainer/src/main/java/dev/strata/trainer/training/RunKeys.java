package dev.strata.trainer.training;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/// One mapping of a run file. Strict: a key that nobody asked for is an error, since a misspelt one
/// would be a setting that silently does nothing.
final class RunKeys {
  private final String path;
  private final JsonNode node;
  private final Set<String> known = new TreeSet<>();

  RunKeys(String path, JsonNode node) {
    if (!node.isObject() && !node.isMissingNode()) {
      throw new InvalidRunException(
          "%s: got '%s', expected keys with values"
              .formatted(path.isEmpty() ? "run file" : path, node.asText()));
    }
    this.path = path;
    this.node = node;
  }

  RunKeys section(String key) {
    return new RunKeys(name(key), value(key));
  }

  String text(String key, String fallback) {
    JsonNode value = value(key);
    if (value.isMissingNode()) {
      return fallback;
    }
    if (!value.isValueNode() || value.isNull()) {
      throw wrong(key, value, "a text");
    }
    return value.asText();
  }

  String requiredText(String key) {
    String text = text(key, "");
    if (text.isEmpty()) {
      throw new InvalidRunException("%s: is missing".formatted(name(key)));
    }
    return text;
  }

  boolean flag(String key, boolean fallback) {
    JsonNode value = value(key);
    if (value.isMissingNode()) {
      return fallback;
    }
    if (!value.isBoolean()) {
      throw wrong(key, value, "true or false");
    }
    return value.asBoolean();
  }

  int integer(String key, int fallback, int least, int most) {
    JsonNode value = value(key);
    if (value.isMissingNode()) {
      return fallback;
    }
    if (!value.canConvertToInt() || !value.isIntegralNumber()) {
      throw wrong(key, value, "%d to %d".formatted(least, most));
    }
    return bounded(key, value, value.asInt(), least, most);
  }

  double number(String key, double fallback, double least, double most) {
    JsonNode value = value(key);
    if (value.isMissingNode()) {
      return fallback;
    }
    if (!value.isNumber() || !(value.asDouble() >= least && value.asDouble() <= most)) {
      throw wrong(key, value, "a number from %s to %s".formatted(least, most));
    }
    return value.asDouble();
  }

  List<Integer> integers(String key, List<Integer> fallback, int least, int most) {
    JsonNode value = value(key);
    if (value.isMissingNode()) {
      return fallback;
    }
    if (!value.isArray()) {
      throw wrong(key, value, "a list of numbers from %d to %d".formatted(least, most));
    }
    List<Integer> numbers = new ArrayList<>();
    for (JsonNode item : value) {
      if (!item.isIntegralNumber()) {
        throw wrong(key, item, "%d to %d".formatted(least, most));
      }
      numbers.add(bounded(key, item, item.asInt(), least, most));
    }
    return numbers;
  }

  List<String> texts(String key, List<String> fallback) {
    JsonNode value = value(key);
    if (value.isMissingNode()) {
      return fallback;
    }
    if (!value.isArray()) {
      throw wrong(key, value, "a list");
    }
    List<String> texts = new ArrayList<>();
    value.forEach(item -> texts.add(item.asText()));
    return texts;
  }

  /// A constant of an enum, written in lower case with hyphens.
  <E extends Enum<E>> E choice(String key, E fallback) {
    String text = text(key, written(fallback));
    E[] all = fallback.getDeclaringClass().getEnumConstants();
    for (E constant : all) {
      if (written(constant).equals(text)) {
        return constant;
      }
    }
    throw new InvalidRunException(
        "%s: got '%s', expected one of %s"
            .formatted(
                name(key), text, java.util.Arrays.stream(all).map(RunKeys::written).toList()));
  }

  /// To be called once all keys have been asked for.
  void requireNoOthers() {
    for (String key : (Iterable<String>) node::fieldNames) {
      if (!known.contains(key)) {
        throw new InvalidRunException(
            "%s: unknown key, expected one of %s".formatted(name(key), known));
      }
    }
  }

  static String written(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private JsonNode value(String key) {
    known.add(key);
    return node.isMissingNode() ? MissingNode.getInstance() : node.path(key);
  }

  private int bounded(String key, JsonNode node, int value, int least, int most) {
    if (value < least || value > most) {
      throw wrong(key, node, "%d to %d".formatted(least, most));
    }
    return value;
  }

  private InvalidRunException wrong(String key, JsonNode value, String expected) {
    return new InvalidRunException("%s: got %s, expected %s".formatted(name(key), value, expected));
  }

  private String name(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }
}
