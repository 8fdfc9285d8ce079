package dev.strata.trainer.onnx;

import dev.strata.graph.MemoryTensors;
import dev.strata.graph.ModelGraph;

/// A network in 32-bit floats: what an import yields and a quantizer takes.
///
/// @param graph all layers have float storage
/// @param tensors constants and weights; owned by whoever holds this record
public record FloatModel(ModelGraph graph, MemoryTensors tensors) implements AutoCloseable {
  @Override
  public void close() {
    tensors.close();
  }
}
