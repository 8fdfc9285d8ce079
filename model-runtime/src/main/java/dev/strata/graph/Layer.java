package dev.strata.graph;

import dev.strata.precision.PlaneLayout;

/// A layer with weights. Its data are tensors of the artifact named after it
/// (docs/artifact-format.md): in planes: `<name>.plane.<p>`, `<name>.groups`, `<name>.table.<w>`;
/// or as floats:
/// `<name>.weight` `[rows][columns]` FP32 and optional `<name>.bias` `[rows]`.
///
/// Column order: LINEAR and EMBEDDING: input features; CONV: `(kh, kw, cin/groups)`, input channel
/// fastest; DEPTHWISE: `(kh, kw)`.
///
/// @param name unique in the graph
/// @param kind what the weights are
/// @param storage planes (any precision) or 32-bit floats
/// @param layout the plane layout; for float storage only rows, columns and submatrices count
public record Layer(String name, Kind kind, Storage storage, PlaneLayout layout) {
  public enum Kind {
    LINEAR,
    CONV,
    DEPTHWISE,
    EMBEDDING
  }

  public enum Storage {
    PLANES,
    FLOAT
  }
}
