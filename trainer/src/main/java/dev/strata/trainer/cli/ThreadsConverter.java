package dev.strata.trainer.cli;

import dev.strata.plan.Team;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// A number of threads that a team can have.
public final class ThreadsConverter implements ITypeConverter<Integer> {
  @Override
  public Integer convert(String value) {
    if (!value.matches("[0-9]{1,4}")
        || Integer.parseInt(value) < 1
        || Integer.parseInt(value) > Team.MOST_THREADS) {
      throw new TypeConversionException(
          "got '%s', expected 1 to %d".formatted(value, Team.MOST_THREADS));
    }
    return Integer.parseInt(value);
  }
}
