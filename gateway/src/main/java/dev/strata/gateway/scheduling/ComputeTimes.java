package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.Workload;
import dev.strata.precision.Bits;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// How long one model's computations take: nothing but what was measured of late, by width, rows
/// and length, the latter two in powers of two. Not for concurrent use.
///
/// A cell holds the smoothed time and its smoothed deviation, with the weights of RFC 6298 (1/8
/// and 1/4); it predicts their sum. Its first measurements only take it down from one to the
/// next, since a worker's first run at a shape also prepares it. A cell without a measurement
/// borrows from the nearest of its width, in proportion to the work; failing that from the next
/// wider width in proportion to the bits, failing that from the next narrower as it is, failing
/// that it predicts nothing, which lets a first request find out. A prediction that nobody has
/// confirmed for a while halves again and again, so that a width once judged too slow is tried
/// anew.
final class ComputeTimes {

  private static final double TIME_WEIGHT = 1.0 / 8;
  private static final double DEVIATION_WEIGHT = 1.0 / 4;
  static final int FIRST_MEASUREMENTS = 8;
  static final long FADE_NANOS = 5_000_000_000L;

  private record Key(Bits bits, int rowsClass, int lengthClass) {}

  private record Cell(double nanos, double deviation, int measurements, long atNanos) {

    static Cell first(double measured, long now) {
      return new Cell(measured, measured * DEVIATION_WEIGHT, 1, now);
    }

    Cell next(double measured, long now) {
      int count = Math.min(measurements + 1, FIRST_MEASUREMENTS);
      if (count < FIRST_MEASUREMENTS && measured < nanos) {
        return new Cell(measured, measured * DEVIATION_WEIGHT, count, now);
      }
      double error = measured - nanos;
      return new Cell(
          nanos + TIME_WEIGHT * error,
          deviation + DEVIATION_WEIGHT * (Math.abs(error) - deviation),
          count,
          now);
    }

    double predicted(long now) {
      long halvings = Math.min(Long.SIZE - 2, Math.max(0, now - atNanos) / FADE_NANOS);
      return (nanos + deviation) / (1L << halvings);
    }
  }

  private final Map<Key, Cell> cells = new HashMap<>();

  /// One computation took this long.
  ///
  /// @param work all rows of the batch, and the length class they share
  void record(Bits bits, Workload work, long nanos, long now) {
    cells.merge(
        key(bits, work),
        Cell.first((double) nanos, now),
        (cell, _) -> cell.next((double) nanos, now));
  }

  /// One computation was given up after this long: it takes at least that, and what was known of it
  /// still holds.
  void recordUnfinished(Bits bits, Workload work, long nanos, long now) {
    cells.merge(
        key(bits, work),
        new Cell((double) nanos, 0, 0, now),
        (cell, _) ->
            new Cell(
                Math.max((double) nanos, cell.nanos()),
                cell.deviation(),
                cell.measurements(),
                now));
  }

  /// @return predicted nanoseconds of one computation
  long predict(Bits bits, Workload work, long now) {
    Key key = key(bits, work);
    Cell cell = cells.get(key);
    if (cell != null) {
      return (long) cell.predicted(now);
    }
    return (long) borrowed(key, now);
  }

  private double borrowed(Key key, long now) {
    Optional<Double> own = nearest(key.bits(), key, now);
    if (own.isPresent()) {
      return own.get();
    }
    for (int wider = key.bits().count() + 1; wider <= Bits.MAX; wider++) {
      Optional<Double> other = nearest(new Bits(wider), key, now);
      if (other.isPresent()) {
        return other.get() * key.bits().count() / wider;
      }
    }
    for (int narrower = key.bits().count() - 1; narrower >= 1; narrower--) {
      Optional<Double> other = nearest(new Bits(narrower), key, now);
      if (other.isPresent()) {
        return other.get();
      }
    }
    return 0;
  }

  /// The prediction of the cell nearest in rows and length, scaled to the work of `key`.
  private Optional<Double> nearest(Bits bits, Key key, long now) {
    Optional<Double> best = Optional.empty();
    int bestDistance = Integer.MAX_VALUE;
    for (Map.Entry<Key, Cell> entry : cells.entrySet()) {
      Key known = entry.getKey();
      int rows = key.rowsClass() - known.rowsClass();
      int length = key.lengthClass() - known.lengthClass();
      int distance = Math.abs(rows) + Math.abs(length);
      if (known.bits().equals(bits) && distance < bestDistance) {
        bestDistance = distance;
        best = Optional.of(Math.scalb(entry.getValue().predicted(now), rows + length));
      }
    }
    return best;
  }

  private static Key key(Bits bits, Workload work) {
    int rowsClass = Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(1, work.rows()) - 1);
    return new Key(bits, rowsClass, work.lengthClass());
  }
}
