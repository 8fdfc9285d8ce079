package dev.strata.trainer.quantize;

import dev.strata.precision.Bits;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Consumer;

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
/// @param rangeRule of the inputs of convolutions; needs calibration data
/// @param tuning what hardly needs changing
/// @param distillation of which widths the tables are tuned afterwards; needs calibration data
public record QuantizationSettings(
    int linearGroup,
    int convolutionGroup,
    Set<Role> keptWide,
    Set<String> keptWideLayers,
    boolean balancedInputs,
    boolean errorCompensation,
    Bits nativeBits,
    int matchedBits,
    RangeRule rangeRule,
    Tuning tuning,
    Distillation distillation) {

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
  /// @param reach how far error compensation may move a weight away from its nearest code, in
  ///     steps of the width at hand; what it moves at narrow widths, 8 bits cannot take back
  /// @param matchedSamples samples that each setting of a bias runs, about
  public record Tuning(
      int rows, int covarianceColumns, double damping, double reach, int matchedSamples) {
    public Tuning {
      if (rows < 1 || covarianceColumns < 0 || matchedSamples < 1) {
        throw new IllegalArgumentException(
            "tuning: got %d rows, %d covariance columns, %d matched samples"
                .formatted(rows, covarianceColumns, matchedSamples));
      }
      if (!(damping > 0) || !(reach >= 0)) {
        throw new IllegalArgumentException(
            "tuning: got damping %s, expected > 0; reach %s, expected >= 0"
                .formatted(damping, reach));
      }
    }
  }

  /// Scales, offsets and biases follow the float network's answers, see
  /// [dev.strata.trainer.training.TableDistillation].
  ///
  /// @param widths narrower than 8 bits, whose tables serve every width
  /// @param epochs runs over the calibration data, for each width
  public record Distillation(Set<Bits> widths, int epochs) {
    public static final Distillation NONE = new Distillation(Set.of(), 0);

    public Distillation {
      widths = Set.copyOf(widths);
      if (widths.contains(new Bits(Bits.MAX))) {
        throw new IllegalArgumentException("distillation: got 8 bits, expected widths of 1 to 7");
      }
      if (epochs < 0 || (epochs == 0 && !widths.isEmpty())) {
        throw new IllegalArgumentException(
            "distillation: got %d epochs, expected 1 or more".formatted(epochs));
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
        new RangeRule.LeastError(),
        new Tuning(32768, 2304, 0.01, 0.15, 128),
        Distillation.NONE);
  }

  /// @param convolution columns, or [#WHOLE_ROW]
  public QuantizationSettings withGroups(int linear, int convolution) {
    return with(
        parts -> {
          parts.linearGroup = linear;
          parts.convolutionGroup = convolution;
        });
  }

  /// Replaces what is read with all planes at every width.
  public QuantizationSettings withKeptWide(Set<Role> roles, Set<String> layers) {
    return with(
        parts -> {
          parts.keptWide = roles;
          parts.keptWideLayers = layers;
        });
  }

  public QuantizationSettings withBalancedInputs(boolean wanted) {
    return with(parts -> parts.balancedInputs = wanted);
  }

  public QuantizationSettings withErrorCompensation(boolean wanted) {
    return with(parts -> parts.errorCompensation = wanted);
  }

  public QuantizationSettings withNativeBits(Bits wanted) {
    return with(parts -> parts.nativeBits = wanted);
  }

  public QuantizationSettings withMatchedBits(int wanted) {
    return with(parts -> parts.matchedBits = wanted);
  }

  public QuantizationSettings withRangeRule(RangeRule wanted) {
    return with(parts -> parts.rangeRule = wanted);
  }

  public QuantizationSettings withTuning(Tuning wanted) {
    return with(parts -> parts.tuning = wanted);
  }

  /// [Tuning#reach].
  public QuantizationSettings withReach(double wanted) {
    return withTuning(
        new Tuning(
            tuning.rows(),
            tuning.covarianceColumns(),
            tuning.damping(),
            wanted,
            tuning.matchedSamples()));
  }

  public QuantizationSettings withDistillation(Distillation wanted) {
    return with(parts -> parts.distillation = wanted);
  }

  private QuantizationSettings with(Consumer<Parts> change) {
    Parts parts = new Parts(this);
    change.accept(parts);
    return parts.together();
  }

  /// A copy of the settings while some of them change.
  private static final class Parts {
    private int linearGroup;
    private int convolutionGroup;
    private Set<Role> keptWide;
    private Set<String> keptWideLayers;
    private boolean balancedInputs;
    private boolean errorCompensation;
    private Bits nativeBits;
    private int matchedBits;
    private RangeRule rangeRule;
    private Tuning tuning;
    private Distillation distillation;

    Parts(QuantizationSettings of) {
      linearGroup = of.linearGroup;
      convolutionGroup = of.convolutionGroup;
      keptWide = of.keptWide;
      keptWideLayers = of.keptWideLayers;
      balancedInputs = of.balancedInputs;
      errorCompensation = of.errorCompensation;
      nativeBits = of.nativeBits;
      matchedBits = of.matchedBits;
      rangeRule = of.rangeRule;
      tuning = of.tuning;
      distillation = of.distillation;
    }

    QuantizationSettings together() {
      return new QuantizationSettings(
          linearGroup,
          convolutionGroup,
          keptWide,
          keptWideLayers,
          balancedInputs,
          errorCompensation,
          nativeBits,
          matchedBits,
          rangeRule,
          tuning,
          distillation);
    }
  }
}
