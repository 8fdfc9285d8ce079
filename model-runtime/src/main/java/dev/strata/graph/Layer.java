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

  /// The most columns of one group whose integer sums are sure to fit 32 bits (strata.h).
  public static final int MAX_GROUP = 32768;

  public Layer {
    if (storage == Storage.PLANES && layout.groupSize() > MAX_GROUP) {
      throw new IllegalArgumentException(
          "layer '%s': got a group of %d columns, expected at most %d"
              .formatted(name, layout.groupSize(), MAX_GROUP));
    }
  }

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
