package dev.strata.plan;

import dev.strata.graph.Shape;
import java.util.stream.Collectors;

/// What one call of a bound plan does, for people: figures of the whole call, batch included.
///
/// @param node the graph's node it belongs to
/// @param path the kernel it calls, such as "block" or "quantize rows"
/// @param shape rows x inputs x outputs of a product; of other steps the shape of what they make
/// @param planes weight planes read; 0 without plane weights
/// @param activationBits width of the input's codes; 32 where they are floats
/// @param multiplyAdds of a product or convolution; 0 for everything else
/// @param weightBytes bytes of planes or float weights that it reads
/// @param activationBytes bytes of values that it reads from other steps or makes for them
public record StepDescription(
    String node,
    String path,
    String shape,
    int planes,
    int activationBits,
    long multiplyAdds,
    long weightBytes,
    long activationBytes) {

  /// A step without weights and products.
  static StepDescription plain(String node, String path, String shape) {
    return new StepDescription(node, path, shape, 0, Float.SIZE, 0, 0, 0);
  }

  static String dims(Shape shape) {
    return shape.dims().stream().map(String::valueOf).collect(Collectors.joining(" x "));
  }

  static String dims(long... dims) {
    return dims(Shape.of(dims));
  }

  StepDescription over(long bytes) {
    return new StepDescription(
        node, path, shape, planes, activationBits, multiplyAdds, weightBytes, bytes);
  }

  /// Multiply-adds of 8 bits that take about as long. One of floats takes as long as 4, reading a
  /// byte of weights as long as 8, and one of few bits as long as its bits are products of 8.
  long work() {
    long products =
        planes == 0
            ? 4 * multiplyAdds
            : multiplyAdds * Math.min(planes * activationBits, Byte.SIZE) / Byte.SIZE;
    return products + 8 * weightBytes;
  }
}
