package dev.strata.trainer.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

/// Starts the tensor library with a fixed number of threads, and makes arrays in the library's own
/// memory.
///
/// Nothing that a gradient is computed from may borrow Java memory: the binding forgets the buffer
/// of an array that is closed, while the library still reads it on the way back. Its operators with
/// a Java number, such as `x.maximum(0f)` or `x.mul(2)`, do just that; once the buffer had been
/// collected, gradients were garbage. Use [#number].
final class TorchEngine {
  private static final String THREADS = "ai.djl.pytorch.num_threads";

  private TorchEngine() {}

  /// The number of threads is the process's: the first run decides.
  static NDManager start(int threads) {
    if (System.getProperty(THREADS) == null) {
      System.setProperty(THREADS, Integer.toString(threads));
      System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
    }
    return NDManager.newBaseManager(ai.djl.Device.cpu(), "PyTorch");
  }

  /// @param data copied
  static NDArray array(NDManager memory, float[] data, Shape shape) {
    try (NDArray borrowed = memory.create(data, shape)) {
      return borrowed.duplicate();
    }
  }

  static NDArray number(NDManager memory, float value) {
    return array(memory, new float[] {value}, new Shape());
  }
}
