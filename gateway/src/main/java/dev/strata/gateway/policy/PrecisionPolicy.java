package dev.strata.gateway.policy;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.Precision;
import dev.strata.precision.Bits;
import java.util.List;

/// Wish and available widths to the width served. Pure.
public final class PrecisionPolicy {

  private PrecisionPolicy() {}

  /// @param available the model's widths, ascending
  /// @param modelDefault the width for a caller who names none
  /// @throws InferenceException if the model does not have what was asked
  public static Bits choose(Precision wanted, List<Bits> available, Bits modelDefault) {
    return switch (wanted) {
      case Precision.Exactly(Bits bits) when !available.contains(bits) ->
          throw new InferenceException(
              ErrorCode.PRECISION_UNAVAILABLE,
              "bits: got %s, expected one of %s".formatted(bits, available));
      case Precision.Exactly(Bits bits) -> bits;
      case Precision.ModelDefault() -> modelDefault;
    };
  }
}
