package dev.strata.graph;

import dev.strata.precision.Bits;
import dev.strata.precision.PrecisionProfile;
import java.util.List;
import java.util.Map;

/// All that an artifact says of its model, beside the tensors; the JSON under `strata.model`.
///
/// @param name what the model calls itself
/// @param inputs what a client sends
/// @param outputs what a client gets
/// @param graph the network
/// @param preprocessing client inputs to graph inputs
/// @param postprocessing graph outputs to client outputs
/// @param labels class names, may be empty
/// @param defaultBits the precision of a request that names none
/// @param profiles one per available width, ascending
/// @param provenance free text by key: source file's SHA-256, tool version, licence, settings
public record ModelDescription(
    String name,
    List<TensorSpec> inputs,
    List<TensorSpec> outputs,
    ModelGraph graph,
    Preprocessing preprocessing,
    Postprocessing postprocessing,
    List<String> labels,
    Bits defaultBits,
    List<PrecisionProfile> profiles,
    Map<String, String> provenance) {
  public ModelDescription {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    labels = List.copyOf(labels);
    profiles = List.copyOf(profiles);
    provenance = java.util.Collections.unmodifiableMap(new java.util.TreeMap<>(provenance));
  }

  public PrecisionProfile profile(Bits bits) {
    return profiles.stream()
        .filter(profile -> profile.bits().equals(bits))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "bits: got %s, model '%s' has %s"
                        .formatted(
                            bits, name, profiles.stream().map(PrecisionProfile::bits).toList())));
  }
}
