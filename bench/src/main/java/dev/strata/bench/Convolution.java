package dev.strata.bench;

/// The plain definition of a 3x3 convolution with a border of zeros and ReLU.
final class Convolution {

  /// What one tap adds over one pixel.
  interface Tap {
    double at(int pixel, int tap);
  }

  private Convolution() {}

  static double sum(int position, int size, Tap tap, double bias) {
    double sum = bias;
    for (int t = 0; t < 9; t++) {
      int row = position / size + t / 3 - 1;
      int column = position % size + t % 3 - 1;
      if (row >= 0 && row < size && column >= 0 && column < size) {
        sum += tap.at(row * size + column, t);
      }
    }
    return Math.max(0, sum);
  }
}
