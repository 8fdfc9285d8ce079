package dev.strata.gateway.api;

import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.Precision;
import dev.strata.precision.Bits;

/// Reads the number of bits a client asks for.
public final class BitsText {

  private BitsText() {}

  /// @param field how the client named it, for the message
  public static Precision exactly(String field, long count) {
    if (count < 1 || count > Bits.MAX) {
      throw outOfRange(field, Long.toString(count));
    }
    return new Precision.Exactly(new Bits((int) count));
  }

  /// @param text the value of a header or of call metadata
  public static Precision exactly(String field, String text) {
    if (!text.matches("[1-8]")) {
      throw outOfRange(field, TensorReader.excerpt(text));
    }
    return new Precision.Exactly(new Bits(Integer.parseInt(text)));
  }

  private static InferenceException outOfRange(String field, String got) {
    return InferenceException.invalid(
        "%s: got %s, expected an integer from 1 to %d".formatted(field, got, Bits.MAX));
  }
}
