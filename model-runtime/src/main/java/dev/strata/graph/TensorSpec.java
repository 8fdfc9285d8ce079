package dev.strata.graph;

/// Name, type and shape of a model's input or output; -1 for variable dimensions.
public record TensorSpec(String name, DataType type, Shape shape) {}
