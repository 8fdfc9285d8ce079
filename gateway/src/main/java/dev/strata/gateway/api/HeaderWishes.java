package dev.strata.gateway.api;

import dev.strata.gateway.call.InferenceException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Wishes in the headers of a request or the metadata of a call: `strata-min-bits` is what the
/// parameter `min_bits` is.
///
/// @param values by header, in lower case
public record HeaderWishes(Map<String, String> values) implements Wishes {

  /// Every header that says how to be served.
  public static final List<String> NAMES =
      List.of(
          "strata-bits",
          "strata-min-bits",
          "strata-max-bits",
          "strata-latency-budget-us",
          "strata-precision",
          "strata-ladder",
          "strata-priority",
          "strata-timeout");

  public HeaderWishes {
    values = Map.copyOf(values);
  }

  /// @param header the value of a header, if it was sent
  public static HeaderWishes of(Function<String, Optional<String>> header) {
    return new HeaderWishes(
        NAMES.stream()
            .filter(name -> header.apply(name).isPresent())
            .collect(Collectors.toMap(name -> name, name -> header.apply(name).orElseThrow())));
  }

  @Override
  public String field(String name) {
    return "strata-" + name.replace('_', '-').toLowerCase(Locale.ROOT);
  }

  @Override
  public OptionalLong integer(String name) {
    Optional<String> text = text(name);
    if (text.isEmpty()) {
      return OptionalLong.empty();
    }
    if (!text.get().matches("-?[0-9]{1,18}")) {
      throw InferenceException.invalid(
          "%s: got %s, expected an integer"
              .formatted(field(name), TensorReader.excerpt(text.get())));
    }
    return OptionalLong.of(Long.parseLong(text.get()));
  }

  @Override
  public Optional<String> text(String name) {
    return Optional.ofNullable(values.get(field(name))).map(String::strip);
  }
}
