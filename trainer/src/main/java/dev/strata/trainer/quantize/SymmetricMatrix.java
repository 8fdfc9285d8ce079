package dev.strata.trainer.quantize;

import java.util.Arrays;
import java.util.stream.IntStream;

/// A dense symmetric matrix of which the lower triangle is kept: second moments of a layer's
/// inputs.
final class SymmetricMatrix {
  private static final int BLOCK = 64;

  private final int size;
  private final double[] lower;

  SymmetricMatrix(int size) {
    this.size = size;
    lower = new double[Math.multiplyExact(size, size)];
  }

  int size() {
    return size;
  }

  double get(int row, int column) {
    return row >= column ? lower[row * size + column] : lower[column * size + row];
  }

  /// Adds `X^T X`.
  ///
  /// @param x `[count][size]`
  void addGram(float[] x, int count) {
    float[] transposed = new float[size * count];
    for (int sample = 0; sample < count; sample++) {
      for (int column = 0; column < size; column++) {
        transposed[column * count + sample] = x[sample * size + column];
      }
    }
    float[] gram = MatrixProduct.of(transposed, size, x, size, count);
    for (int row = 0; row < size; row++) {
      for (int column = 0; column <= row; column++) {
        lower[row * size + column] += gram[row * size + column];
      }
    }
  }

  /// @return `this * scale - mean mean^T`
  SymmetricMatrix centred(double scale, double[] mean) {
    SymmetricMatrix result = new SymmetricMatrix(size);
    for (int row = 0; row < size; row++) {
      for (int column = 0; column <= row; column++) {
        result.lower[row * size + column] =
            lower[row * size + column] * scale - mean[row] * mean[column];
      }
    }
    return result;
  }

  double meanDiagonal() {
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += lower[i * size + i];
    }
    return sum / size;
  }

  /// @return the same matrix plus `value` on the diagonal
  SymmetricMatrix withRidge(double value) {
    SymmetricMatrix result = new SymmetricMatrix(size);
    System.arraycopy(lower, 0, result.lower, 0, lower.length);
    for (int i = 0; i < size; i++) {
      result.lower[i * size + i] += value;
    }
    return result;
  }

  /// Rows and columns multiplied.
  SymmetricMatrix scaled(float[] by) {
    SymmetricMatrix result = new SymmetricMatrix(size);
    for (int row = 0; row < size; row++) {
      for (int column = 0; column <= row; column++) {
        result.lower[row * size + column] =
            lower[row * size + column] * ((double) by[row] * by[column]);
      }
    }
    return result;
  }

  /// Rows and columns in another order.
  SymmetricMatrix permuted(int[] order) {
    SymmetricMatrix result = new SymmetricMatrix(size);
    for (int row = 0; row < size; row++) {
      for (int column = 0; column <= row; column++) {
        result.lower[row * size + column] = get(order[row], order[column]);
      }
    }
    return result;
  }

  /// Indices by falling diagonal element.
  int[] byFallingDiagonal() {
    return IntStream.range(0, size)
        .boxed()
        .sorted((a, b) -> Double.compare(lower[b * size + b], lower[a * size + a]))
        .mapToInt(Integer::intValue)
        .toArray();
  }

  /// `rows * this`.
  ///
  /// @param rows `[count][size]`
  /// @return `[count][size]`
  float[] times(float[] rows, int count) {
    float[] full = new float[size * size];
    for (int row = 0; row < size; row++) {
      for (int column = 0; column < size; column++) {
        full[row * size + column] = (float) get(row, column);
      }
    }
    return MatrixProduct.of(rows, count, full, size, size);
  }

  /// The factorisation `U D U^T` with U unit upper triangular.
  ///
  /// @return U, `[size][size]`, row by row, zeros below the diagonal
  /// @throws ArithmeticException if the matrix is not positive definite
  float[] unitUpperFactor() {
    double[] work = Arrays.copyOf(lower, lower.length);
    for (int panel = Math.ceilDiv(size, BLOCK) - 1; panel >= 0; panel--) {
      int start = panel * BLOCK;
      int end = Math.min(size, start + BLOCK);
      factorPanel(work, start, end);
      IntStream.range(0, start).parallel().forEach(row -> eliminate(work, start, end, row));
    }
    float[] upper = new float[size * size];
    for (int column = 0; column < size; column++) {
      double pivot = work[column * size + column];
      for (int row = 0; row <= column; row++) {
        upper[row * size + column] = (float) (work[column * size + row] / pivot);
      }
    }
    return upper;
  }

  private void factorPanel(double[] work, int start, int end) {
    for (int pivot = end - 1; pivot >= start; pivot--) {
      double diagonal = work[pivot * size + pivot];
      if (!(diagonal > 0)) {
        throw new ArithmeticException(
            "matrix of %d: pivot %d is %s, expected > 0".formatted(size, pivot, diagonal));
      }
      for (int row = start; row < pivot; row++) {
        double factor = work[pivot * size + row] / diagonal;
        for (int column = 0; column <= row; column++) {
          work[row * size + column] -= factor * work[pivot * size + column];
        }
      }
    }
  }

  private void eliminate(double[] work, int start, int end, int row) {
    for (int pivot = end - 1; pivot >= start; pivot--) {
      double factor = work[pivot * size + row] / work[pivot * size + pivot];
      for (int column = 0; column <= row; column++) {
        work[row * size + column] -= factor * work[pivot * size + column];
      }
    }
  }
}
