package dev.strata.gateway.call;

import dev.strata.graph.ConfidenceCascade;
import dev.strata.precision.Bits;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// What a client may know about a loaded model.
///
/// @param defaultBits the precision of a request that names none
/// @param offers one per available width, ascending
/// @param labels class names, may be empty
/// @param cascade how the model answers `precision: cascade`, if it can
/// @param planeBytes bytes of weight planes that the offered widths read, all together
/// @param arriving widths of the artifact that have not been received and verified yet
/// @param evicted widths that were given up for want of memory, until there is room again
public record ModelCard(
    String name,
    String version,
    Signature signature,
    Bits defaultBits,
    List<Offer> offers,
    List<String> labels,
    Optional<ConfidenceCascade> cascade,
    long planeBytes,
    List<Bits> arriving,
    List<Bits> evicted) {

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
    Objects.requireNonNull(cascade);
    arriving = List.copyOf(arriving);
    evicted = List.copyOf(evicted);
  }

  /// A model that has all of its widths.
  public ModelCard(
      String name,
      String version,
      Signature signature,
      Bits defaultBits,
      List<Offer> offers,
      List<String> labels,
      long planeBytes) {
    this(
        name,
        version,
        signature,
        defaultBits,
        offers,
        labels,
        Optional.empty(),
        planeBytes,
        List.of(),
        List.of());
  }

  /// Refuses a width that the model has, but not now.
  ///
  /// @throws InferenceException if a later attempt may succeed
  public void requirePresent(Bits bits) {
    if (arriving.contains(bits) || evicted.contains(bits)) {
      throw new InferenceException(
          ErrorCode.MODEL_NOT_READY,
          "bits: got %s, model '%s' has %s now%s%s"
              .formatted(
                  bits,
                  name,
                  precisions(),
                  arriving.isEmpty() ? "" : "; " + arriving + " are still arriving",
                  evicted.isEmpty() ? "" : "; " + evicted + " come back when there is memory"));
    }
  }

  public List<Bits> precisions() {
    return offers.stream().map(Offer::bits).toList();
  }
}
