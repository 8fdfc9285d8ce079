package dev.strata.trainer.quantize;

import dev.strata.graph.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.SplittableRandom;

/// Gathers the statistics of one layer's input over many batches, from rows spread evenly over each
/// batch.
final class InputCollector {
  private static final int BUFFERED_ROWS = 256;

  private final InputRows rows;
  private final int rowsPerBatch;
  private final Optional<SymmetricMatrix[]> moments;
  private final Optional<ValueHistogram> range;
  private final double[][] sums;
  private final float[] buffer;
  private final SplittableRandom places = new SplittableRandom(1);
  private long count;

  /// @param rowsPerBatch rows taken from one observed input, at most
  /// @param withCovariance whether second moments are wanted
  /// @param withRange whether the histogram of all values is wanted
  InputCollector(InputRows rows, int rowsPerBatch, boolean withCovariance, boolean withRange) {
    this.rows = rows;
    this.rowsPerBatch = rowsPerBatch;
    sums = new double[rows.parts()][rows.columns()];
    buffer = new float[BUFFERED_ROWS * rows.columns()];
    range = withRange ? Optional.of(new ValueHistogram()) : Optional.empty();
    moments = withCovariance ? Optional.of(new SymmetricMatrix[rows.parts()]) : Optional.empty();
    moments.ifPresent(
        matrices -> java.util.Arrays.setAll(matrices, i -> new SymmetricMatrix(rows.columns())));
  }

  void observe(MemorySegment floats, Shape shape) {
    range.ifPresent(histogram -> addValues(histogram, floats, shape.elements()));
    long available = rows.count(shape);
    int wanted = (int) Math.min(available, rowsPerBatch);
    long[] chosen = new long[wanted];
    for (int i = 0; i < wanted; i++) {
      double place = wanted == available ? i : i + places.nextDouble();
      chosen[i] = Math.min(available - 1, (long) (place * available / wanted));
    }
    for (int part = 0; part < rows.parts(); part++) {
      for (int from = 0; from < wanted; from += BUFFERED_ROWS) {
        int taken = Math.min(BUFFERED_ROWS, wanted - from);
        for (int i = 0; i < taken; i++) {
          rows.read(floats, shape, part, chosen[from + i], buffer, i * rows.columns());
        }
        addRows(part, taken);
      }
    }
    count += wanted;
  }

  private void addRows(int part, int taken) {
    for (int row = 0; row < taken; row++) {
      for (int column = 0; column < rows.columns(); column++) {
        sums[part][column] += buffer[row * rows.columns() + column];
      }
    }
    moments.ifPresent(matrices -> matrices[part].addGram(buffer, taken));
  }

  private static void addValues(ValueHistogram histogram, MemorySegment floats, long elements) {
    for (long i = 0; i < elements; i++) {
      histogram.add(floats.get(ValueLayout.JAVA_FLOAT, i * Float.BYTES));
    }
  }

  InputStatistics finish() {
    double scale = count == 0 ? 0 : 1.0 / count;
    double[][] means = new double[sums.length][];
    for (int part = 0; part < sums.length; part++) {
      means[part] = java.util.Arrays.stream(sums[part]).map(sum -> sum * scale).toArray();
    }
    Optional<SymmetricMatrix[]> covariances =
        moments.map(
            matrices -> {
              SymmetricMatrix[] centred = new SymmetricMatrix[matrices.length];
              java.util.Arrays.setAll(centred, i -> matrices[i].centred(scale, means[i]));
              return centred;
            });
    return new InputStatistics(
        rows.parts(), means, covariances, range.orElseGet(ValueHistogram::new));
  }
}
