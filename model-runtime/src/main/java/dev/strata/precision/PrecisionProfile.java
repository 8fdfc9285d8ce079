package dev.strata.precision;

import java.util.Map;
import java.util.TreeMap;

/// What "b bits" means for a whole model: for each weighted layer how many planes are read and how
/// its input is quantized, and what quality was measured at that setting.
///
/// @param bits the width a request names
/// @param layers layer name to its setting; every weighted layer of the graph that is stored in
/// planes
/// @param quality measured metric name to value, empty until `strata eval` has stored it
public record PrecisionProfile(
    Bits bits, Map<String, LayerPrecision> layers, Map<String, Double> quality) {

  /// One layer at one precision.
  ///
  /// @param planes how many planes are read; at least the profile's bits for protected layers
  /// @param input how the layer's input is quantized
  public record LayerPrecision(Bits planes, ActivationQuantizer input) {}

  public PrecisionProfile {
    layers = java.util.Collections.unmodifiableMap(new TreeMap<>(layers));
    quality = java.util.Collections.unmodifiableMap(new TreeMap<>(quality));
  }

  public LayerPrecision layer(String name) {
    LayerPrecision layer = layers.get(name);
    if (layer == null) {
      throw new IllegalArgumentException(
          "profile of %s bits has no layer '%s'".formatted(bits, name));
    }
    return layer;
  }
}
