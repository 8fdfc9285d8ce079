package dev.strata.trainer.quantize;

import dev.strata.precision.Bits;
import java.util.EnumSet;
import java.util.Set;

/// How a float network becomes a layered one.
///
/// @param linearGroup columns of linear and embedding layers that share a step and an offset; a
///     multiple of 32
/// @param convolutionGroup the same for convolutions, or [#WHOLE_ROW]
/// @param keptWide roles of layers that are read with all 8 planes at every width
/// @param keptWideLayers names of further such layers
/// @param errorCompensation choose codes with feedback along correlated inputs; needs calibration
///     data
/// @param nativeBits the width that error compensation optimises first
/// @param damping ridge of error compensation, as a part of the mean input variance
/// @param calibrationRows input rows per layer that statistics are taken from, at most
/// @param maxCovarianceColumns wider layers are fitted without input covariance
/// @param biasPasses how often biases of each width are set from that width's own activations
public record QuantizationSettings(
    int linearGroup,
    int convolutionGroup,
    Set<Role> keptWide,
    Set<String> keptWideLayers,
    boolean errorCompensation,
    Bits nativeBits,
    double damping,
    int calibrationRows,
    int maxCovarianceColumns,
    int biasPasses) {

  public static final int WHOLE_ROW = 0;

  /// What makes a layer special; first and last go by execution order.
  public enum Role {
    FIRST,
    LAST,
    EMBEDDING,
    DEPTHWISE
  }

  public QuantizationSettings {
    keptWide = Set.copyOf(keptWide);
    keptWideLayers = Set.copyOf(keptWideLayers);
    if (damping <= 0) {
      throw new IllegalArgumentException("damping: got %s, expected > 0".formatted(damping));
    }
  }

  public static QuantizationSettings defaults() {
    return new QuantizationSettings(
        64,
        WHOLE_ROW,
        EnumSet.allOf(Role.class),
        Set.of(),
        true,
        new Bits(4),
        0.01,
        32768,
        2304,
        2);
  }

  public QuantizationSettings withErrorCompensation(boolean wanted) {
    return new QuantizationSettings(
        linearGroup,
        convolutionGroup,
        keptWide,
        keptWideLayers,
        wanted,
        nativeBits,
        damping,
        calibrationRows,
        maxCovarianceColumns,
        biasPasses);
  }

  public QuantizationSettings withNativeBits(Bits wanted) {
    return new QuantizationSettings(
        linearGroup,
        convolutionGroup,
        keptWide,
        keptWideLayers,
        errorCompensation,
        wanted,
        damping,
        calibrationRows,
        maxCovarianceColumns,
        biasPasses);
  }

  public QuantizationSettings withGroups(int linear, int convolution) {
    return new QuantizationSettings(
        linear,
        convolution,
        keptWide,
        keptWideLayers,
        errorCompensation,
        nativeBits,
        damping,
        calibrationRows,
        maxCovarianceColumns,
        biasPasses);
  }

  public QuantizationSettings withKeptWide(Set<Role> roles, Set<String> layers) {
    return new QuantizationSettings(
        linearGroup,
        convolutionGroup,
        roles,
        layers,
        errorCompensation,
        nativeBits,
        damping,
        calibrationRows,
        maxCovarianceColumns,
        biasPasses);
  }

  public QuantizationSettings withBiasPasses(int passes) {
    return new QuantizationSettings(
        linearGroup,
        convolutionGroup,
        keptWide,
        keptWideLayers,
        errorCompensation,
        nativeBits,
        damping,
        calibrationRows,
        maxCovarianceColumns,
        passes);
  }
}
