package dev.strata.plan;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.ShapeInference;
import dev.strata.graph.StridedView;
import dev.strata.graph.Tensor;
import java.lang.foreign.MemorySegment;

/// Operators as plain loops in double precision.
final class Reference {
  private Reference() {}

  /// One weight matrix.
  interface Weights {
    float at(int row, int column);
  }

  static float[] floats(MemorySegment segment) {
    return segment.toArray(JAVA_FLOAT);
  }

  static Weights matrix(MemorySegment segment, int rows) {
    float[] values = floats(segment);
    int columns = values.length / rows;
    return (row, column) -> values[row * columns + column];
  }

  /// NHWC; the padding has the value `outside`.
  static float[] conv(
      Tensor x,
      Op.Window window,
      int groups,
      int rows,
      float outside,
      Weights weights,
      float[] bias) {
    int samples = (int) x.shape().dim(0);
    int height = (int) x.shape().dim(1);
    int width = (int) x.shape().dim(2);
    int channels = (int) x.shape().dim(3);
    int outHeight = (int) window.outputHeight(height, false);
    int outWidth = (int) window.outputWidth(width, false);
    int perGroup = channels / groups;
    float[] in = x.toFloats();
    float[] y = new float[samples * outHeight * outWidth * rows];
    int at = 0;
    for (int n = 0; n < samples; n++) {
      for (int oh = 0; oh < outHeight; oh++) {
        for (int ow = 0; ow < outWidth; ow++) {
          for (int row = 0; row < rows; row++) {
            int first = row / (rows / groups) * perGroup;
            double sum = bias[row];
            int column = 0;
            for (int kh = 0; kh < window.kernelHeight(); kh++) {
              for (int kw = 0; kw < window.kernelWidth(); kw++) {
                int h = oh * window.strideHeight() + kh * window.dilationHeight() - window.padTop();
                int w = ow * window.strideWidth() + kw * window.dilationWidth() - window.padLeft();
                boolean inside = h >= 0 && h < height && w >= 0 && w < width;
                for (int c = first; c < first + perGroup; c++) {
                  double value =
                      inside ? in[((n * height + h) * width + w) * channels + c] : outside;
                  sum += value * weights.at(row, column++);
                }
              }
            }
            y[at++] = (float) sum;
          }
        }
      }
    }
    return y;
  }

  static float[] matMul(Tensor a, Tensor b) {
    int k = (int) a.shape().dim(-1);
    int m = a.shape().rank() == 1 ? 1 : (int) a.shape().dim(-2);
    int n = b.shape().rank() == 1 ? 1 : (int) b.shape().dim(-1);
    Shape aBatch = ShapeInference.batchOf(a.shape());
    Shape bBatch = ShapeInference.batchOf(b.shape());
    Shape batch = ShapeInference.broadcast(aBatch, bBatch);
    long[] aMatrix = indices(StridedView.broadcast(aBatch, batch));
    long[] bMatrix = indices(StridedView.broadcast(bBatch, batch));
    float[] y = new float[aMatrix.length * m * n];
    for (int i = 0; i < aMatrix.length; i++) {
      for (int row = 0; row < m; row++) {
        for (int column = 0; column < n; column++) {
          double sum = 0;
          for (int j = 0; j < k; j++) {
            sum +=
                (double) a.toFloats()[(int) (aMatrix[i] * m + row) * k + j]
                    * b.toFloats()[(int) (bMatrix[i] * k + j) * n + column];
          }
          y[(i * m + row) * n + column] = (float) sum;
        }
      }
    }
    return y;
  }

  private static long[] indices(StridedView view) {
    java.util.stream.LongStream.Builder all = java.util.stream.LongStream.builder();
    view.forEach(all::add);
    return all.build().toArray();
  }

  static float[] softmax(Tensor x, int outer, int axis, int inner) {
    float[] in = x.toFloats();
    float[] y = new float[in.length];
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < inner; i++) {
        double sum = 0;
        for (int a = 0; a < axis; a++) {
          sum += Math.exp(in[(o * axis + a) * inner + i]);
        }
        for (int a = 0; a < axis; a++) {
          int at = (o * axis + a) * inner + i;
          y[at] = (float) (Math.exp(in[at]) / sum);
        }
      }
    }
    return y;
  }
}
