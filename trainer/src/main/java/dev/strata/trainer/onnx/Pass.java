package dev.strata.trainer.onnx;

/// One rewriting of the network that keeps what it computes.
interface Pass {
  void run(Network network);
}
