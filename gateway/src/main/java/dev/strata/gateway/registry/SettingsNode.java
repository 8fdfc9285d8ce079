package dev.strata.gateway.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A place in a settings file, with the way to it for messages.
///
/// @param file its name
/// @param key the way from the top, such as `batching.max-rows`; empty at the top
record SettingsNode(String file, String key, JsonNode value) {

  private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})(us|ms|s)");
  private static final int EXCERPT_CHARACTERS = 60;

  /// Whether there is anything; YAML reads a key without a value as an empty text.
  boolean isPresent() {
    return !value.isMissingNode()
        && !value.isNull()
        && !(value.isTextual() && value.asText().isEmpty());
  }

  /// A member of this object, present or not.
  SettingsNode member(String name) {
    JsonNode member = value.get(name);
    return new SettingsNode(
        file, key.isEmpty() ? name : key + "." + name, member == null ? missing() : member);
  }

  private static JsonNode missing() {
    return MissingNode.getInstance();
  }

  /// Requires an object, or nothing, that has no members but these.
  SettingsNode of(Set<String> members) throws InvalidSettingsException {
    for (Map.Entry<String, JsonNode> entry : entries()) {
      if (!members.contains(entry.getKey())) {
        throw new InvalidSettingsException(
            "%s: %s: unknown key, expected one of %s"
                .formatted(
                    file,
                    member(excerpt(entry.getKey())).key(),
                    members.stream().sorted().toList()));
      }
    }
    return this;
  }

  /// Members of this object, in the file's order; none if it is absent.
  List<Map.Entry<String, JsonNode>> entries() throws InvalidSettingsException {
    if (!isPresent()) {
      return List.of();
    }
    if (!value.isObject()) {
      throw expected("keys with values");
    }
    return List.copyOf(value.properties());
  }

  long integer(long absent, long least, long most) throws InvalidSettingsException {
    if (!isPresent()) {
      return absent;
    }
    if (!value.isIntegralNumber()
        || !value.canConvertToLong()
        || value.longValue() < least
        || value.longValue() > most) {
      throw expected("an integer from %d to %d".formatted(least, most));
    }
    return value.longValue();
  }

  double number(double absent) throws InvalidSettingsException {
    if (!isPresent()) {
      return absent;
    }
    if (!value.isNumber()) {
      throw expected("a number");
    }
    return value.doubleValue();
  }

  List<Long> integers(long least, long most) throws InvalidSettingsException {
    if (!isPresent()) {
      return List.of();
    }
    if (!value.isArray()) {
      throw expected("a list of integers from %d to %d".formatted(least, most));
    }
    List<Long> numbers = new ArrayList<>();
    for (int i = 0; i < value.size(); i++) {
      numbers.add(
          new SettingsNode(file, "%s[%d]".formatted(key, i), value.get(i)).integer(0, least, most));
    }
    return numbers;
  }

  /// A length of time such as `20ms`.
  Duration duration(Duration absent) throws InvalidSettingsException {
    if (!isPresent()) {
      return absent;
    }
    Matcher matcher = DURATION.matcher(value.isTextual() ? value.textValue() : "");
    if (!matcher.matches()) {
      throw expected("a time such as 20ms (us, ms or s)");
    }
    long count = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "us" -> Duration.ofNanos(count * 1000);
      case "ms" -> Duration.ofMillis(count);
      default -> Duration.ofSeconds(count);
    };
  }

  InvalidSettingsException expected(String what) {
    return new InvalidSettingsException(
        "%s: %s: got %s, expected %s"
            .formatted(file, key.isEmpty() ? "content" : key, excerpt(value.toString()), what));
  }

  private static String excerpt(String text) {
    return text.length() <= EXCERPT_CHARACTERS
        ? text
        : text.substring(0, EXCERPT_CHARACTERS) + "...";
  }
}
