package dev.strata.plan;

/// What one call of a bound plan does, for people: figures of the whole call, batch included.
///
/// @param node the graph's node it belongs to
/// @param path the kernel it calls, such as "block" or "quantize rows"
/// @param planes weight planes read; 0 without plane weights
/// @param activationBits width of the input's codes; 32 where they are floats
/// @param multiplyAdds of a product or convolution; 0 for everything else
/// @param weightBytes bytes of planes or float weights that it reads
public record StepDescription(
    String node, String path, int planes, int activationBits, long multiplyAdds, long weightBytes) {

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
