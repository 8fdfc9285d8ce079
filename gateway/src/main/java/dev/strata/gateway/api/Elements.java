package dev.strata.gateway.api;

import dev.strata.gateway.call.InferenceException;
import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;

/// The elements of one input in whatever form the client wrote them.
public interface Elements {

  /// The elements as the runtime takes them.
  ///
  /// @param field how a message names the input, such as `inputs[0] 'x'`
  /// @param shape static; its number of elements times the element's size fits in an int
  /// @throws InferenceException if the elements are not those of this type and shape
  Tensor read(String field, DataType type, Shape shape);
}
