package dev.strata.graph;

/// Element type and shape of a value inside a graph: FP32 or INT64, static shape.
public record TensorType(DataType type, Shape shape) {
  public TensorType {
    if (type != DataType.FP32 && type != DataType.INT64) {
      throw new IllegalArgumentException(
          "value inside a graph: got %s, expected FP32 or INT64".formatted(type));
    }
    if (!shape.isStatic()) {
      throw new IllegalArgumentException(
          "value inside a graph: got shape %s, expected a static one".formatted(shape));
    }
  }

  @Override
  public String toString() {
    return type + " " + shape;
  }
}
