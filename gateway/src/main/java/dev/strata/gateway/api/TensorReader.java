package dev.strata.gateway.api;

import dev.strata.gateway.call.InferenceException;
import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// Turns what a client says about a tensor into a tensor, or refuses it. All protocols come through
/// here, and nothing is allocated before the numbers have been found possible.
public final class TensorReader {

  private TensorReader() {}

  /// @param field how a message names the input, such as `inputs[0] 'x'`
  /// @param datatype the client's word for the element type
  /// @throws InferenceException naming the field, what was got and what was expected
  public static Tensor read(
      String field, String datatype, List<Long> dims, Elements elements, Limits limits) {
    DataType type = type(field, datatype);
    Shape shape = shape(field, type, dims, limits.rank());
    Tensor tensor = elements.read(field, type, shape);
    if (type == DataType.BYTES) {
      checkElements(field, tensor.data(), limits.elementBytes());
    }
    return tensor;
  }

  private static void checkElements(String field, MemorySegment data, int mostBytes) {
    long position = 0;
    for (long element = 0; position < data.byteSize(); element++) {
      long length = Integer.toUnsignedLong(data.get(RawElements.LENGTH, position));
      if (length > mostBytes) {
        throw InferenceException.invalid(
            "%s: data: element %d: got %d bytes, expected at most %d (strata.limits.element-bytes)"
                .formatted(field, element, length, mostBytes));
      }
      position += Integer.BYTES + length;
    }
  }

  private static DataType type(String field, String datatype) {
    return Arrays.stream(DataType.values())
        .filter(type -> type.name().equals(datatype))
        .findFirst()
        .orElseThrow(
            () ->
                InferenceException.invalid(
                    "%s: datatype: got '%s', expected one of %s"
                        .formatted(field, excerpt(datatype), List.of(DataType.values()))));
  }

  private static Shape shape(String field, DataType type, List<Long> dims, int mostDims) {
    Limits.atMost(field + ": shape: dimensions", dims.size(), mostDims);
    long bytes = Math.max(1, type.byteSize());
    for (long dim : dims) {
      if (dim < 0) {
        throw InferenceException.invalid(
            "%s: shape: got %s, expected no negative dimension".formatted(field, dims));
      }
      if (dim != 0 && bytes > Integer.MAX_VALUE / dim) {
        throw InferenceException.invalid(
            "%s: shape: got %s of %s, expected at most %d bytes"
                .formatted(field, dims, type, Integer.MAX_VALUE));
      }
      bytes *= Math.max(1, dim);
    }
    return new Shape(dims);
  }

  /// Enough of a client's text to recognise it by.
  public static String excerpt(String text) {
    return text.length() <= 64 ? text : text.substring(0, 64) + "…";
  }
}
