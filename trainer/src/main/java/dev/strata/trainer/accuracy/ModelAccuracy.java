package dev.strata.trainer.accuracy;

import dev.strata.precision.Bits;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What one model is worth.
///
/// @param data what was measured on, in a few words
/// @param metric the figure that plots show
/// @param reference the float network's figures
/// @param stored rows of the embedded artifact, ascending by width
/// @param other rows of the same codes with planes given to layers the other way
/// @param allocated whether the embedded artifact gives planes by sensitivity
/// @param importSeconds time from ONNX to the artifact
/// @param seconds time of all measurements
record ModelAccuracy(
    String name,
    String data,
    int samples,
    String metric,
    Map<String, Double> reference,
    List<Row> stored,
    List<Row> other,
    boolean allocated,
    double importSeconds,
    double seconds) {

  /// @param prefixBytes of the file that a request of this width needs
  /// @param medianMillis of one sample, one thread
  record Row(Bits bits, long prefixBytes, double medianMillis, Map<String, Double> quality) {}

  ModelAccuracy {
    reference = Map.copyOf(reference);
    stored = List.copyOf(stored);
    other = List.copyOf(other);
  }

  Optional<Row> at(int bits) {
    return stored.stream().filter(row -> row.bits().count() == bits).findFirst();
  }
}
