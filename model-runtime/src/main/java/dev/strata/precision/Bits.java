package dev.strata.precision;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.List;
import java.util.stream.IntStream;

/// A bit width: how many planes, most significant first, make up a weight. 1 to 8.
///
/// @param count the number of bit-planes
public record Bits(@JsonValue int count) implements Comparable<Bits> {

  /// The width of a stored code; the widest precision there is.
  public static final int MAX = 8;

  @JsonCreator
  public Bits {
    if (count < 1 || count > MAX) {
      throw new IllegalArgumentException("bits: got %d, expected 1 to %d".formatted(count, MAX));
    }
  }

  /// @return 1 to 8 bits in ascending order
  public static List<Bits> all() {
    return IntStream.rangeClosed(1, MAX).mapToObj(Bits::new).toList();
  }

  @Override
  public int compareTo(Bits other) {
    return Integer.compare(count, other.count);
  }

  @Override
  public String toString() {
    return Integer.toString(count);
  }
}
