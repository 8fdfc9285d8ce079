package dev.strata.gateway.call;

import dev.strata.precision.Bits;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// What a client may know about a loaded model.
///
/// @param defaultBits the precision of a request that names none
/// @param offers one per available width, ascending
/// @param labels class names, may be empty
/// @param planeBytes bytes of weight planes mapped for all widths together
public record ModelCard(
    String name,
    String version,
    Signature signature,
    Bits defaultBits,
    List<Offer> offers,
    List<String> labels,
    long planeBytes) {

  /// One width: how many bytes of the file it needs and how good it was measured to be.
  ///
  /// @param bytes length of the file prefix
  /// @param quality metric name to value, empty if nothing was measured
  public record Offer(Bits bits, long bytes, Map<String, Double> quality) {}

  public ModelCard {
    Objects.requireNonNull(name);
    Objects.requireNonNull(version);
    Objects.requireNonNull(signature);
    Objects.requireNonNull(defaultBits);
    offers = List.copyOf(offers);
    labels = List.copyOf(labels);
  }

  public List<Bits> precisions() {
    return offers.stream().map(Offer::bits).toList();
  }
}
