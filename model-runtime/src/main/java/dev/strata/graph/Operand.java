package dev.strata.graph;

import java.util.Optional;

/// An input of an operator as far as it is known before the graph runs.
///
/// @param type its type and shape
/// @param value the elements, when they follow from constants and shapes alone
public record Operand(TensorType type, Optional<Tensor> value) {

  public static Operand of(Tensor value) {
    return new Operand(new TensorType(value.type(), value.shape()), Optional.of(value));
  }

  public static Operand of(TensorType type) {
    return new Operand(type, Optional.empty());
  }

  public Shape shape() {
    return type.shape();
  }

  /// The elements of an INT64 operand that an operator needs before it runs.
  long[] staticLongs(String what) {
    Tensor tensor =
        value.orElseThrow(
            () ->
                new IllegalArgumentException(
                    "%s: got a value that is computed at run time, expected one that depends on"
                            .formatted(what)
                        + " constants and shapes only"));
    if (tensor.type() != DataType.INT64) {
      throw new IllegalArgumentException(
          "%s: got %s, expected INT64".formatted(what, tensor.type()));
    }
    return tensor.toLongs();
  }
}
