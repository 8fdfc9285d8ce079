package dev.strata.trainer.quantize;

import dev.strata.precision.Bits;
import java.util.EnumSet;
import java.util.Set;

/// How a float network becomes a layered one. What needs calibration data is left out without.
///
/// @param linearGroup columns of linear and embedding layers that share a step and an offset; a
///     multiple of 32
/// @param convolutionGroup the same for convolutions, or [#WHOLE_ROW]
/// @param keptWide roles of layers that are read with all 8 planes at every width
/// @param keptWideLayers names of further such layers
/// @param balancedInputs even out the columns of linear layers' inputs where that pays; needs
///     calibration data
/// @param errorCompensation choose codes with feedback along correlated inputs; needs
///     calibration
///     data
/// @param nativeBits the width that error compensation optimises first
/// @param matchedBits up to this width, biases of convolutions are set from the activations of
///     that very width, layer by layer; 0 for none; needs calibration data
/// @param effort what calibration may cost
public record QuantizationSettings(
    int linearGroup,
    int convolutionGroup,
    Set<Role> keptWide,
    Set<String> keptWideLayers,
    boolean balancedInputs,
    boolean errorCompensation,
    Bits nativeBits,
    int matchedBits,
    Effort effort) {

  public static final int WHOLE_ROW = 0;

  /// What makes a layer special; first and last go by execution order, embeddings not counted.
  public enum Role {
    FIRST,
    LAST,
    EMBEDDING,
    DEPTHWISE
  }

  /// @param rows input rows per layer that statistics are taken from, at most
  /// @param covarianceColumns wider layers are fitted without input covariance
  /// @param damping ridge of error compensation, as a part of the mean input variance
  /// @param matchedSamples samples that each setting of a bias runs, about
  public record Effort(int rows, int covarianceColumns, double damping, int matchedSamples) {
    public Effort {
      if (rows < 1 || covarianceColumns < 0 || !(damping > 0) || matchedSamples < 1) {
        throw new IllegalArgumentException(
            "effort: got %d rows, %d covariance columns, damping %s, %d matched samples"
                .formatted(rows, covarianceColumns, damping, matchedSamples));
      }
    }
  }

  public QuantizationSettings {
    keptWide = Set.copyOf(keptWide);
    keptWideLayers = Set.copyOf(keptWideLayers);
    if (matchedBits < 0 || matchedBits > Bits.MAX) {
      throw new IllegalArgumentException(
          "matchedBits: got %d, expected 0 to %d".formatted(matchedBits, Bits.MAX));
    }
  }

  public static QuantizationSettings defaults() {
    return new QuantizationSettings(
        64,
        WHOLE_ROW,
        EnumSet.allOf(Role.class),
        Set.of(),
        true,
        true,
        new Bits(4),
        3,
        new Effort(32768, 2304, 0.01, 128));
  }

  /// @param convolution columns, or [#WHOLE_ROW]
  public QuantizationSettings withGroups(int linear, int convolution) {
    return new QuantizationSettings(
        linear,
        convolution,
        keptWide,
        keptWideLayers,
        balancedInputs,
        errorCompensation,
        nativeBits,
        matchedBits,
        effort);
  }

  /// Replaces what is read with all planes at every width.
  public QuantizationSettings withKeptWide(Set<Role> roles, Set<String> layers) {
    return new QuantizationSettings(
        linearGroup,
        convolutionGroup,
        roles,
        layers,
        balancedInputs,
        errorCompensation,
        nativeBits,
        matchedBits,
        effort);
  }

  public QuantizationSettings withBalancedInputs(boolean wanted) {
    return new QuantizationSettings(
        linearGroup,
        convolutionGroup,
        keptWide,
        keptWideLayers,
        wanted,
        errorCompensation,
        nativeBits,
        matchedBits,
        effort);
  }

  public QuantizationSettings withErrorCompensation(boolean wanted) {
    return new QuantizationSettings(
        linearGroup,
        convolutionGroup,
        keptWide,
        keptWideLayers,
        balancedInputs,
        wanted,
        nativeBits,
        matchedBits,
        effort);
  }

  public QuantizationSettings withNativeBits(Bits wanted) {
    return new QuantizationSettings(
        linearGroup,
        convolutionGroup,
        keptWide,
        keptWideLayers,
        balancedInputs,
        errorCompensation,
        wanted,
        matchedBits,
        effort);
  }

  public QuantizationSettings withMatchedBits(int wanted) {
    return new QuantizationSettings(
        linearGroup,
        convolutionGroup,
        keptWide,
        keptWideLayers,
        balancedInputs,
        errorCompensation,
        nativeBits,
        wanted,
        effort);
  }
}
