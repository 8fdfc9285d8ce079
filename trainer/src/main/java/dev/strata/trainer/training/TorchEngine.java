package dev.strata.trainer.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

/// Starts the tensor library with a fixed number of threads, and makes arrays in the library's own
/// aligned memory (which loop a sum takes depends on where its operand begins). Two runs still
/// differ in the last bits now and then; why is not known.
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
}
