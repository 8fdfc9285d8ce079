package dev.strata.gateway.api.oip;

import dev.strata.gateway.api.Wishes;
import dev.strata.gateway.call.InferenceException;
import inference.InferParameter;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// Wishes in the parameters of a request or of a part of it.
///
/// @param place how a message names them
record ParameterWishes(String place, Map<String, InferParameter> parameters) implements Wishes {

  @Override
  public String field(String name) {
    return place + "." + name;
  }

  @Override
  public OptionalLong integer(String name) {
    InferParameter parameter = parameters.get(name);
    if (parameter == null) {
      return OptionalLong.empty();
    }
    return switch (parameter.getParameterChoiceCase()) {
      case INT64_PARAM -> OptionalLong.of(parameter.getInt64Param());
      case UINT64_PARAM ->
          OptionalLong.of(
              parameter.getUint64Param() < 0 ? Long.MAX_VALUE : parameter.getUint64Param());
      case BOOL_PARAM, STRING_PARAM, DOUBLE_PARAM, PARAMETERCHOICE_NOT_SET ->
          throw wrong(name, parameter, "an integer");
    };
  }

  @Override
  public Optional<String> text(String name) {
    InferParameter parameter = parameters.get(name);
    if (parameter == null) {
      return Optional.empty();
    }
    return switch (parameter.getParameterChoiceCase()) {
      case STRING_PARAM -> Optional.of(parameter.getStringParam());
      case BOOL_PARAM, INT64_PARAM, UINT64_PARAM, DOUBLE_PARAM, PARAMETERCHOICE_NOT_SET ->
          throw wrong(name, parameter, "a string");
    };
  }

  private InferenceException wrong(String name, InferParameter parameter, String expected) {
    return InferenceException.invalid(
        "%s: got a %s, expected %s"
            .formatted(field(name), kind(parameter.getParameterChoiceCase()), expected));
  }

  private static String kind(InferParameter.ParameterChoiceCase choice) {
    return switch (choice) {
      case BOOL_PARAM -> "boolean";
      case INT64_PARAM, UINT64_PARAM -> "number";
      case DOUBLE_PARAM -> "fraction";
      case STRING_PARAM -> "string";
      case PARAMETERCHOICE_NOT_SET -> "parameter without a value";
    };
  }
}
