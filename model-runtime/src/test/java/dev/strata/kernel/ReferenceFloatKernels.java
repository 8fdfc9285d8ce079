package dev.strata.kernel;

import dev.strata.graph.Op;

/// The float operators as strata.h defines them, in plain loops over Java arrays.
final class ReferenceFloatKernels {

  private static final int LANES = 16;

  private ReferenceFloatKernels() {}

  /// c `[m][n]` = a `[m][k]` times b, `[k][n]` or `[n][k]`, plus bias and residual.
  static float[] matmul(
      int m,
      int n,
      int k,
      float[] a,
      float[] b,
      boolean transposed,
      float[] bias,
      float[] residual) {
    var c = new float[m * n];
    for (int row = 0; row < m; row++) {
      for (int column = 0; column < n; column++) {
        float sum = 0;
        for (int i = 0; i < k; i++) {
          float value = transposed ? b[column * k + i] : b[i * n + column];
          sum = Math.fma(a[row * k + i], value, sum);
        }
        c[row * n + column] = sum + bias[column] + residual[row * n + column];
      }
    }
    return c;
  }

  /// The images that the window functions below read.
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Images(int samples, int height, int width, int channels, float[] values) {
    float at(int sample, int row, int column, int channel) {
      return values[((sample * height + row) * width + column) * channels + channel];
    }

    boolean contains(int row, int column) {
      return row >= 0 && row < height && column >= 0 && column < width;
    }
  }

  static float[] depthwise(Images x, Op.Window window, float[] weights, float[] bias) {
    int outHeight = (int) window.outputHeight(x.height, false);
    int outWidth = (int) window.outputWidth(x.width, false);
    int taps = window.kernelHeight() * window.kernelWidth();
    var y = new float[x.samples * outHeight * outWidth * x.channels];
    for (int i = 0; i < y.length; i++) {
      int channel = i % x.channels;
      int pixel = i / x.channels;
      float sum = 0;
      for (int tap = 0; tap < taps; tap++) {
        int row = row(window, pixel / outWidth % outHeight, tap);
        int column = column(window, pixel % outWidth, tap);
        if (x.contains(row, column)) {
          float value = x.at(pixel / outWidth / outHeight, row, column, channel);
          sum = Math.fma(value, weights[channel * taps + tap], sum);
        }
      }
      y[i] = sum + bias[channel];
    }
    return y;
  }

  static float[] pool(Images x, Op.Window window, Op.Pool.Pooling kind, boolean countPadding) {
    int outHeight = (int) window.outputHeight(x.height, true);
    int outWidth = (int) window.outputWidth(x.width, true);
    int taps = window.kernelHeight() * window.kernelWidth();
    var y = new float[x.samples * outHeight * outWidth * x.channels];
    for (int i = 0; i < y.length; i++) {
      int pixel = i / x.channels;
      float most = Float.NEGATIVE_INFINITY;
      float sum = 0;
      int counted = 0;
      for (int tap = 0; tap < taps; tap++) {
        int row = row(window, pixel / outWidth % outHeight, tap);
        int column = column(window, pixel % outWidth, tap);
        boolean inside = x.contains(row, column);
        if (inside) {
          float value = x.at(pixel / outWidth / outHeight, row, column, i % x.channels);
          most = Math.max(most, value);
          sum += value;
        }
        boolean padded =
            row < x.height + window.padBottom() && column < x.width + window.padRight();
        if (countPadding ? padded : inside) {
          counted++;
        }
      }
      y[i] = kind == Op.Pool.Pooling.MAX ? most : sum / counted;
    }
    return y;
  }

  private static int row(Op.Window window, int outRow, int tap) {
    return outRow * window.strideHeight()
        - window.padTop()
        + tap / window.kernelWidth() * window.dilationHeight();
  }

  private static int column(Op.Window window, int outColumn, int tap) {
    return outColumn * window.strideWidth()
        - window.padLeft()
        + tap % window.kernelWidth() * window.dilationWidth();
  }

  /// Sum in 16 lanes, added by halves.
  static float sum(float[] row) {
    var lanes = new float[LANES];
    for (int i = 0; i < row.length; i++) {
      lanes[i % LANES] += row[i];
    }
    for (int half = LANES / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; i++) {
        lanes[i] += lanes[i + half];
      }
    }
    return lanes[0];
  }

  static float[] layerNorm(float[] row, float[] scale, float[] bias, float epsilon) {
    float mean = sum(row) / row.length;
    var squares = new float[row.length];
    for (int i = 0; i < row.length; i++) {
      squares[i] = (row[i] - mean) * (row[i] - mean);
    }
    float inverse = 1 / (float) Math.sqrt(sum(squares) / row.length + epsilon);
    var y = new float[row.length];
    for (int i = 0; i < row.length; i++) {
      y[i] = Math.fma((row[i] - mean) * inverse, scale[i], bias[i]);
    }
    return y;
  }

  /// x `[axis][inner]` to `[inner]`.
  static float[] reduce(Op.Reduce.Reduction kind, int axis, int inner, float[] x) {
    var y = new float[inner];
    for (int i = 0; i < inner; i++) {
      var column = new float[axis];
      float sum = 0;
      float most = Float.NEGATIVE_INFINITY;
      for (int j = 0; j < axis; j++) {
        column[j] = x[j * inner + i];
        sum += column[j];
        most = Math.max(most, column[j]);
      }
      float total = inner == 1 ? sum(column) : sum;
      y[i] =
          switch (kind) {
            case MEAN -> total / axis;
            case SUM -> total;
            case MAX -> most;
            case PROD -> throw new IllegalArgumentException("PROD has no kernel");
          };
    }
    return y;
  }

  static float binary(Op.Binary.Function kind, float a, float b) {
    return switch (kind) {
      case ADD -> a + b;
      case SUB -> a - b;
      case MUL -> a * b;
      case DIV -> a / b;
      case POW -> (float) Math.pow(a, b);
      case MIN -> Math.min(a, b);
      case MAX -> Math.max(a, b);
      case PRELU -> a < 0 ? a * b : a;
      case MOD, EQUAL -> throw new IllegalArgumentException(kind + " has no kernel");
    };
  }

  /// Offset of position `index` of a dense array of `dims` in an operand with these strides.
  static int offset(long index, long[] dims, long[] strides) {
    long offset = 0;
    long rest = index;
    for (int axis = dims.length - 1; axis >= 0; axis--) {
      offset += rest % dims[axis] * strides[axis];
      rest /= dims[axis];
    }
    return (int) offset;
  }

  /// erf by the series e^(-x^2) sum 2^n x^(2n+1) / (2n+1)!!, whose terms are all positive.
  static double erf(double x) {
    if (Math.abs(x) > 6) {
      return Math.signum(x);
    }
    double term = x;
    double sum = 0;
    for (int n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      sum += term;
      term *= 2 * x * x / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }
}
