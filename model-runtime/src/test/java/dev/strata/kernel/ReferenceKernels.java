package dev.strata.kernel;

import dev.strata.graph.Activation;
import dev.strata.graph.Op;
import dev.strata.precision.PlaneLayout;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/// The arithmetic of strata.h in plain Java, from bytes of planes to floats. The oracle of the
/// kernel tests.
final class ReferenceKernels {

  private ReferenceKernels() {}

  /// One matrix at `bits` planes, as plain arrays: planes most significant first, groups as
  /// `[panels][groups][2][16]`.
  static final class Matrix {
    private final PlaneLayout layout;
    private final int bits;
    private final byte[][] planes;
    private final byte[] groups;
    private final float[] scale;
    private final float[] offset;
    private final float[] bias;

    Matrix(
        PlaneLayout layout,
        int bits,
        byte[][] planes,
        byte[] groups,
        float[] scale,
        float[] offset,
        float[] bias) {
      this.layout = layout;
      this.bits = bits;
      this.planes = planes;
      this.groups = groups;
      this.scale = scale;
      this.offset = offset;
      this.bias = bias;
    }

    PlaneLayout layout() {
      return layout;
    }

    int bits() {
      return bits;
    }

    byte[][] planes() {
      return planes;
    }

    byte[] groups() {
      return groups;
    }

    float[] scale() {
      return scale;
    }

    float[] offset() {
      return offset;
    }

    float[] bias() {
      return bias;
    }

    /// The code of a weight, its missing low bits zero.
    int code(int row, int column) {
      int code = 0;
      int word = (int) layout.wordOffset(row, column);
      int bit = PlaneLayout.bitOf(column);
      for (int plane = 0; plane < bits; plane++) {
        int value = planes[plane][word + bit / 8] >> (bit % 8) & 1;
        code |= value << (7 - plane);
      }
      return code;
    }

    int centre() {
      return 256 - (1 << (8 - bits));
    }

    float groupScale(int row, int group) {
      return Byte.toUnsignedInt(groups[groupIndex(row, group)]);
    }

    float groupOffset(int row, int group) {
      return groups[groupIndex(row, group) + 16];
    }

    private int groupIndex(int row, int group) {
      return (row / 16 * layout.groups() + group) * 32 + row % 16;
    }

    /// Output `row` before the activation, of activations with a scale for each group.
    float output(int row, int[] activations, float[] scales) {
      return output(row, activations, scales, code -> 2 * code - centre());
    }

    /// The same with another value for a code.
    float output(int row, int[] activations, float[] scales, IntUnaryOperator value) {
      float a1 = 0;
      float a2 = 0;
      for (int group = 0; group < layout.groups(); group++) {
        int whole = 0;
        int sum = 0;
        for (int j = group * layout.groupSize(); j < (group + 1) * layout.groupSize(); j++) {
          whole += value.applyAsInt(code(row, j)) * activations[j];
          sum += activations[j];
        }
        a1 = Math.fma(groupScale(row, group), scales[group] * whole, a1);
        a2 = Math.fma(groupOffset(row, group), scales[group] * sum, a2);
      }
      return Math.fma(scale[row], a1, offset[row] * a2) + bias[row];
    }

    /// Output `row` before the activation, of the distances to activations of the same scale.
    float distance(int row, int[] activations) {
      int middle = (1 << (8 - bits)) / 2;
      int distance = 0;
      for (int j = 0; j < layout.columns(); j++) {
        distance += Math.abs(code(row, j) + middle - 128 - activations[j]);
      }
      return scale[row] * -distance + bias[row];
    }

    float weight(int row, int column) {
      int group = column / layout.groupSize();
      return Math.fma(
          scale[row] * groupScale(row, group),
          (float) (2 * code(row, column) - centre()),
          offset[row] * groupOffset(row, group));
    }
  }

  static float activate(Activation activation, float x) {
    return switch (activation.kind()) {
      case IDENTITY -> x;
      case RELU -> x < 0 ? 0 : x;
      case CLIP -> Math.min(Math.max(x, activation.alpha()), activation.beta());
      default -> throw new IllegalArgumentException("no reference for " + activation.kind());
    };
  }

  /// Rows of activations times a matrix: `[rows][layout.rows]`; scale is `[rows][groups]`.
  static float[] product(
      Matrix matrix, int[][] rows, float[] scale, float[] residual, Activation activation) {
    int groups = matrix.layout().groups();
    return outputs(
        matrix,
        rows,
        residual,
        activation,
        (m, c) -> matrix.output(c, rows[m], scalesOf(scale, m, groups)));
  }

  /// The product of the values that a codebook has for prefix codes.
  static float[] codebook(
      Matrix matrix,
      byte[] codebook,
      int[][] rows,
      float[] scale,
      float[] residual,
      Activation activation) {
    int groups = matrix.layout().groups();
    return outputs(
        matrix,
        rows,
        residual,
        activation,
        (m, c) ->
            matrix.output(
                c,
                rows[m],
                scalesOf(scale, m, groups),
                code -> codebook[code >> (8 - matrix.bits())]));
  }

  /// Distances in place of products.
  static float[] adder(Matrix matrix, int[][] rows, float[] residual, Activation activation) {
    return outputs(matrix, rows, residual, activation, (m, c) -> matrix.distance(c, rows[m]));
  }

  private static float[] scalesOf(float[] scale, int row, int groups) {
    return Arrays.copyOfRange(scale, row * groups, (row + 1) * groups);
  }

  private interface Output {
    float at(int row, int channel);
  }

  private static float[] outputs(
      Matrix matrix, int[][] rows, float[] residual, Activation activation, Output output) {
    int width = matrix.layout().rows();
    float[] out = new float[rows.length * width];
    for (int m = 0; m < rows.length; m++) {
      for (int c = 0; c < width; c++) {
        int at = m * width + c;
        out[at] = activate(activation, output.at(m, c) + residual[at]);
      }
    }
    return out;
  }

  /// An NHWC image of codes and where a window looks.
  static final class Image {
    private final int samples;
    private final int height;
    private final int width;
    private final int channels;
    private final byte[] codes;

    Image(int samples, int height, int width, int channels, byte[] codes) {
      this.samples = samples;
      this.height = height;
      this.width = width;
      this.channels = channels;
      this.codes = codes;
    }

    int samples() {
      return samples;
    }

    int height() {
      return height;
    }

    int width() {
      return width;
    }

    int channels() {
      return channels;
    }

    byte[] codes() {
      return codes;
    }

    int at(int sample, int y, int x, int channel, int outside) {
      return y < 0 || y >= height || x < 0 || x >= width
          ? outside
          : codes[((sample * height + y) * width + x) * channels + channel];
    }
  }

  /// The codes of `channels` from `first` on under each window position, padded to `columns`.
  static int[][] windows(
      Image image, Op.Window window, int first, int channels, int outside, int columns) {
    int outHeight = (int) window.outputHeight(image.height(), false);
    int outWidth = (int) window.outputWidth(image.width(), false);
    int[][] rows = new int[image.samples() * outHeight * outWidth][columns];
    for (int m = 0; m < rows.length; m++) {
      int y = m / outWidth % outHeight * window.strideHeight() - window.padTop();
      int x = m % outWidth * window.strideWidth() - window.padLeft();
      int column = 0;
      for (int kh = 0; kh < window.kernelHeight(); kh++) {
        for (int kw = 0; kw < window.kernelWidth(); kw++) {
          for (int channel = first; channel < first + channels; channel++) {
            rows[m][column++] =
                image.at(
                    m / (outHeight * outWidth),
                    y + kh * window.dilationHeight(),
                    x + kw * window.dilationWidth(),
                    channel,
                    outside);
          }
        }
      }
    }
    return rows;
  }

  /// The codes of one group of values and their scale, last.
  static float[] quantized(float[] row) {
    float largest = 0;
    for (float value : row) {
      largest = Math.max(largest, Math.abs(value));
    }
    float[] result = new float[row.length + 1];
    if (largest == 0) {
      return result;
    }
    float inverse = 127 / largest;
    for (int i = 0; i < row.length; i++) {
      result[i] = (float) Math.clamp(Math.rint(row[i] * inverse), -127.0, 127.0);
    }
    result[row.length] = largest / 127;
    return result;
  }

  /// Codes to the words that the bit-serial product reads: `[abits][columns/32]`.
  static int[] planes(int[] codes, int abits) {
    int blocks = codes.length / 32;
    int[] words = new int[abits * blocks];
    for (int t = 0; t < abits; t++) {
      for (int j = 0; j < codes.length; j++) {
        words[t * blocks + j / 32] |= (codes[j] >> t & 1) << PlaneLayout.bitOf(j);
      }
    }
    return words;
  }

  static int[] groupSums(int[] codes, int group) {
    return IntStream.range(0, codes.length / group)
        .map(g -> Arrays.stream(codes, g * group, (g + 1) * group).sum())
        .toArray();
  }
}
