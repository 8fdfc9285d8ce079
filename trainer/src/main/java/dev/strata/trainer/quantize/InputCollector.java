package dev.strata.trainer.quantize;

import dev.strata.graph.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Gathers the statistics of one layer's input over many batches, from rows spread evenly over
/// each batch.
final class InputCollector {
  private static final int BUFFERED_ROWS = 256;
  private static final int EXAMPLES = 1024;
  private static final int EXAMPLES_PER_BATCH = 8;
  private static final int BINS = 8192;
  private static final int BINS_OF_CHANNEL = 1024;

  private final InputRows rows;
  private final int rowsPerBatch;
  private final Optional<List<SymmetricMatrix>> moments;
  private final List<ValueHistogram> ranges;
  private final double[][] sums;
  private final float[] buffer;
  private final SplittableRandom places = new SplittableRandom(1);
  private final float[] examples;
  private int exampleCount;
  private long count;

  /// What a histogram is made of: all values, or those of each part, which is one channel then.
  enum Ranges {
    NONE,
    ALL,
    CHANNELS
  }

  /// @param rowsPerBatch rows taken from one observed input, at most
  /// @param withCovariance whether second moments are wanted
  /// @param ranges whose histograms are wanted
  InputCollector(InputRows rows, int rowsPerBatch, boolean withCovariance, Ranges ranges) {
    this.rows = rows;
    this.rowsPerBatch = rowsPerBatch;
    sums = new double[rows.parts()][rows.columns()];
    buffer = new float[BUFFERED_ROWS * rows.columns()];
    examples = new float[EXAMPLES * rows.columns()];
    this.ranges =
        switch (ranges) {
          case NONE -> List.of();
          case ALL -> List.of(new ValueHistogram(BINS));
          case CHANNELS ->
              Stream.generate(() -> new ValueHistogram(BINS_OF_CHANNEL))
                  .limit(rows.parts())
                  .toList();
        };
    moments =
        withCovariance
            ? Optional.of(
                Stream.generate(() -> new SymmetricMatrix(rows.columns()))
                    .limit(rows.parts())
                    .toList())
            : Optional.empty();
  }

  void observe(MemorySegment floats, Shape shape) {
    if (!ranges.isEmpty()) {
      addValues(floats, shape.elements());
    }
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

  /// Keeps a few rows of each batch, until there are enough.
  private void keepExamples(int taken) {
    int kept = Math.min(Math.min(taken, EXAMPLES_PER_BATCH), EXAMPLES - exampleCount);
    int columns = rows.columns();
    System.arraycopy(buffer, 0, examples, exampleCount * columns, kept * columns);
    exampleCount += kept;
  }

  private void addRows(int part, int taken) {
    if (part == 0) {
      keepExamples(taken);
    }
    for (int row = 0; row < taken; row++) {
      for (int column = 0; column < rows.columns(); column++) {
        sums[part][column] += buffer[row * rows.columns() + column];
      }
    }
    moments.ifPresent(matrices -> matrices.get(part).addGram(buffer, taken));
  }

  /// Channels come last in an image.
  private void addValues(MemorySegment floats, long elements) {
    for (long i = 0; i < elements; i++) {
      ranges
          .get((int) (i % ranges.size()))
          .add(floats.get(ValueLayout.JAVA_FLOAT, i * Float.BYTES));
    }
  }

  InputStatistics finish() {
    double scale = count == 0 ? 0 : 1.0 / count;
    double[][] means = new double[sums.length][];
    for (int part = 0; part < sums.length; part++) {
      means[part] = java.util.Arrays.stream(sums[part]).map(sum -> sum * scale).toArray();
    }
    return new InputStatistics(
        means,
        moments.map(matrices -> centred(matrices, scale, means)),
        ranges,
        java.util.Arrays.copyOf(examples, exampleCount * rows.columns()));
  }

  private static List<SymmetricMatrix> centred(
      List<SymmetricMatrix> moments, double scale, double[][] means) {
    return IntStream.range(0, means.length)
        .mapToObj(part -> moments.get(part).centred(scale, means[part]))
        .toList();
  }
}
