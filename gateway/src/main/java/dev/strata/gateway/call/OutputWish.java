package dev.strata.gateway.call;

import dev.strata.graph.Tensor;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;

/// One output that a client wants.
///
/// @param classes instead of the scores, so many of the highest, see [TopClasses]
public record OutputWish(String name, OptionalInt classes) {

  public OutputWish {
    Objects.requireNonNull(name);
    Objects.requireNonNull(classes);
  }

  /// The output as the model makes it.
  public OutputWish(String name) {
    this(name, OptionalInt.empty());
  }

  /// What the client gets of it.
  ///
  /// @param labels of the model's classes; empty if they have none
  public InferenceResult.Output output(Tensor computed, List<String> labels) {
    return new InferenceResult.Output(
        name, classes.isPresent() ? TopClasses.of(computed, classes.getAsInt(), labels) : computed);
  }
}
