package dev.strata.trainer.cli;

import dev.strata.precision.Bits;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// `4` to four bits.
public final class BitsConverter implements ITypeConverter<Bits> {
  @Override
  public Bits convert(String value) {
    try {
      return new Bits(Integer.parseInt(value));
    } catch (IllegalArgumentException wrong) {
      throw new TypeConversionException(
          "got '%s', expected 1 to %d bits".formatted(value, Bits.MAX));
    }
  }
}
