package dev.strata.precision;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/// How the input activations of a weighted layer become integer codes.
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({
  @JsonSubTypes.Type(value = ActivationQuantizer.PerChannel.class, name = "per_channel"),
  @JsonSubTypes.Type(value = ActivationQuantizer.PerGroup.class, name = "per_group"),
  @JsonSubTypes.Type(value = ActivationQuantizer.PerSample.class, name = "per_sample"),
  @JsonSubTypes.Type(value = ActivationQuantizer.PerTensor.class, name = "per_tensor")
})
public sealed interface ActivationQuantizer {

  /// Dynamic and symmetric: signed 8-bit codes, one scale (absolute maximum / 127) for each group
  /// of columns of each row, the groups being those of the weights. A large value costs its own
  /// group precision and no other.
  record PerGroup() implements ActivationQuantizer {}

  /// Static, from calibration, for depthwise convolutions: `code = clamp(round(x / scale_c) +
  /// zeroPoint_c, -128, 127)` in channel c. No channel meets another there, so each has a range of
  /// its own. The numbers lie in the tensor [PlaneNames#input].
  record PerChannel() implements ActivationQuantizer {}

  /// Dynamic and symmetric: signed 8-bit codes, one scale for each sample of the first axis. For
  /// convolutions that were imported without calibration data.
  record PerSample() implements ActivationQuantizer {}

  /// Static, from calibration: `code = clamp(round(x / scale) + zeroPoint)`, `x = scale * (code -
  /// zeroPoint)`. At 8 bits codes are signed (-128..127); below, unsigned (0 .. 2^bits - 1).
  record PerTensor(int bits, float scale, int zeroPoint) implements ActivationQuantizer {
    public PerTensor {
      if (bits < 1 || bits > 8) {
        throw new IllegalArgumentException(
            "activation bits: got %d, expected 1 to 8".formatted(bits));
      }
      if (!(scale > 0) || !Float.isFinite(scale)) {
        throw new IllegalArgumentException(
            "activation scale: got %s, expected > 0".formatted(scale));
      }
    }
  }
}
