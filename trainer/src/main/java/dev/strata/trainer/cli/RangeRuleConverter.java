package dev.strata.trainer.cli;

import dev.strata.trainer.quantize.RangeRule;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// `mse`, or `percentile:P`.
public final class RangeRuleConverter implements ITypeConverter<RangeRule> {
  private static final String PERCENTILE = "percentile:";

  @Override
  public RangeRule convert(String value) {
    if (value.equals("mse")) {
      return new RangeRule.LeastError();
    }
    try {
      if (value.startsWith(PERCENTILE)) {
        return new RangeRule.Percentile(Double.parseDouble(value.substring(PERCENTILE.length())));
      }
    } catch (IllegalArgumentException malformed) {
      // told below
    }
    throw new TypeConversionException(
        "got '%s', expected mse, or percentile:P with P over 50 and at most 100".formatted(value));
  }
}
