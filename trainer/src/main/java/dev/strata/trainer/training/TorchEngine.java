package dev.strata.trainer.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.convolutional.Conv2d;

/// Starts the tensor library with a fixed number of threads, makes arrays in the library's own
/// memory, and keeps away from its defects.
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

  /// A convolution without a bias, NCHW.
  ///
  /// The library's own way back through the stride of a 1x1 kernel writes past its scratch where
  /// processors end at AVX2 and channels do not come in eights (PyTorch 2.7.1). So such a kernel
  /// is given only the pixels that it looks at.
  ///
  /// @param weights `[rows, channels of a group, kernel height, kernel width]`
  static NDArray convolution(
      NDArray image, NDArray weights, Shape stride, Shape padding, Shape dilation, int groups) {
    boolean picked =
        weights.getShape().slice(2).size() == 1 && padding.get(0) == 0 && padding.get(1) == 0;
    NDArray seen =
        picked
            ? image.get(new NDIndex(":, :, ::%d, ::%d".formatted(stride.get(0), stride.get(1))))
            : image;
    return Conv2d.conv2d(
            seen, weights, null, picked ? new Shape(1, 1) : stride, padding, dilation, groups)
        .singletonOrThrow();
  }
}
