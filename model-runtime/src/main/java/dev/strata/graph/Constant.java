package dev.strata.graph;

/// A constant value of the graph (FP32 or INT64); its data is the artifact's tensor of the same
/// name.
public record Constant(String name, DataType type, Shape shape) {}
