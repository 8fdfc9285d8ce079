package dev.strata.trainer.quantize;

import dev.strata.graph.Layer;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Cuts a layer's float input into the rows that meet its weights, in the weights' column order.
sealed interface InputRows {

  /// Sets of weight rows that read the same input columns.
  int parts();

  int columns();

  /// Rows that an input of this shape holds for each part.
  long count(Shape shape);

  /// Copies one row.
  void read(MemorySegment floats, Shape shape, int part, long row, float[] into, int at);

  /// @param op the operator that owns the layer
  static InputRows of(Layer layer, Op op) {
    int columns = layer.layout().columns();
    if (op instanceof Op.Conv conv) {
      return layer.kind() == Layer.Kind.DEPTHWISE
          ? new Patches(conv.window(), layer.layout().rows(), columns, 1)
          : new Patches(
              conv.window(),
              conv.groups(),
              columns,
              columns / (conv.window().kernelHeight() * conv.window().kernelWidth()));
    }
    return new Vectors(columns);
  }

  /// Input of a linear layer: `[..., columns]`.
  record Vectors(int columns) implements InputRows {
    @Override
    public int parts() {
      return 1;
    }

    @Override
    public long count(Shape shape) {
      return shape.elements() / columns;
    }

    @Override
    public void read(MemorySegment floats, Shape shape, int part, long row, float[] into, int at) {
      MemorySegment.copy(
          floats, ValueLayout.JAVA_FLOAT, row * columns * Float.BYTES, into, at, columns);
    }
  }

  /// Input of a convolution, `[N, H, W, C]`; a row is the window at one output position, zero
  /// outside the image.
  ///
  /// @param channels input channels that one part reads
  record Patches(Op.Window window, int parts, int columns, int channels) implements InputRows {
    @Override
    public long count(Shape shape) {
      return shape.dim(0)
          * window.outputHeight(shape.dim(1), false)
          * window.outputWidth(shape.dim(2), false);
    }

    @Override
    public void read(MemorySegment floats, Shape shape, int part, long row, float[] into, int at) {
      long width = window.outputWidth(shape.dim(2), false);
      long height = window.outputHeight(shape.dim(1), false);
      long sample = row / (width * height);
      long top = row / width % height * window.strideHeight() - window.padTop();
      long left = row % width * window.strideWidth() - window.padLeft();
      for (int y = 0; y < window.kernelHeight(); y++) {
        long inputRow = top + (long) y * window.dilationHeight();
        for (int x = 0; x < window.kernelWidth(); x++) {
          long inputColumn = left + (long) x * window.dilationWidth();
          if (inputRow < 0
              || inputRow >= shape.dim(1)
              || inputColumn < 0
              || inputColumn >= shape.dim(2)) {
            java.util.Arrays.fill(into, at, at + channels, 0);
          } else {
            long pixel = (sample * shape.dim(1) + inputRow) * shape.dim(2) + inputColumn;
            long from = (pixel * shape.dim(3) + (long) part * channels) * Float.BYTES;
            MemorySegment.copy(floats, ValueLayout.JAVA_FLOAT, from, into, at, channels);
          }
          at += channels;
        }
      }
    }
  }
}
