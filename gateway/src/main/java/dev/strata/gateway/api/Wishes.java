package dev.strata.gateway.api;

import dev.strata.gateway.call.InferenceException;
import dev.strata.precision.Bits;
import java.util.Optional;
import java.util.OptionalLong;

/// Where a client says how it wants to be served: request parameters, headers, or call metadata.
public interface Wishes {

  /// How a message calls the field.
  String field(String name);

  /// @throws InferenceException if there is a value that is no integer
  OptionalLong integer(String name);

  /// @throws InferenceException if there is a value that is no text
  Optional<String> text(String name);

  /// @throws InferenceException if there is a value outside of the range
  default OptionalLong integer(String name, long least, long most) {
    OptionalLong value = integer(name);
    if (value.isPresent() && (value.getAsLong() < least || value.getAsLong() > most)) {
      throw InferenceException.invalid(
          "%s: got %d, expected an integer %s"
              .formatted(
                  field(name),
                  value.getAsLong(),
                  most == Long.MAX_VALUE
                      ? "of at least " + least
                      : "from %d to %d".formatted(least, most)));
    }
    return value;
  }

  /// @throws InferenceException if there is a value that is no width
  default Optional<Bits> bits(String name) {
    OptionalLong value = integer(name, 1, Bits.MAX);
    return value.isPresent() ? Optional.of(new Bits((int) value.getAsLong())) : Optional.empty();
  }
}
