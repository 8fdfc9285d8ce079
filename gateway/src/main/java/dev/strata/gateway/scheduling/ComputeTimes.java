package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.Workload;
import dev.strata.precision.Bits;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.OptionalDouble;
import java.util.TreeMap;

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
///
/// Whether a width is worth its loss is another question: an eighth of noise must not decide it,
/// and a width that rests is not quicker for that. So a cell also holds a slower mean of processor
/// time, for [#typical], where all sizes of a width lie on a line: time by the clock grows with the
/// load, whatever the width.
final class ComputeTimes {

  private static final double TIME_WEIGHT = 1.0 / 8;
  private static final double DEVIATION_WEIGHT = 1.0 / 4;
  static final int FIRST_MEASUREMENTS = 8;

  /// So many say nothing of more rows than they had.
  private static final int COLD_MEASUREMENTS = 3;

  private static final int TYPICAL_MEASUREMENTS = 16;
  static final long FADE_NANOS = 5_000_000_000L;

  /// After which a cell is no longer believed, and begins anew with the next measurement; the
  /// nearer it is to that, the more of a typical time that replaces.
  static final long MEMORY_NANOS = 30_000_000_000L;

  /// How long the widest may rest before a request is to have it for the comparison's sake.
  private static final long TRIAL_NANOS = 3_000_000_000L;

  /// A time and the rows that it is the time of.
  private record Point(double rows, double nanos) {

    Point towards(Point measured, double weight) {
      return new Point(
          rows + weight * (measured.rows - rows), nanos + weight * (measured.nanos - nanos));
    }
  }

  private record Cell(
      Point recent, double deviation, Point typical, int measurements, long atNanos) {

    static final Cell UNKNOWN = new Cell(new Point(0, 0), 0, new Point(0, 0), 0, 0);

    static Cell first(Point measured, Point processor, long now) {
      return new Cell(measured, measured.nanos() * DEVIATION_WEIGHT, processor, 1, now);
    }

    Cell next(Point measured, Point processor, long now) {
      if (measurements == 0 || !isFresh(now)) {
        return first(measured, processor, now);
      }
      int count = Math.min(measurements + 1, TYPICAL_MEASUREMENTS);
      double rested = (double) (now - atNanos) / MEMORY_NANOS;
      Point mean = typically(processor, Math.max(rested, 1.0 / count));
      if (count < FIRST_MEASUREMENTS && measured.nanos() < recent.nanos()) {
        return new Cell(measured, measured.nanos() * DEVIATION_WEIGHT, mean, count, now);
      }
      double error = Math.abs(measured.nanos() - recent.nanos());
      return new Cell(
          recent.towards(measured, TIME_WEIGHT),
          deviation + DEVIATION_WEIGHT * (error - deviation),
          mean,
          count,
          now);
    }

    /// The mean, but for outliers: a pause, a lucky moment, and first runs, which also prepare.
    private Point typically(Point measured, double weight) {
      if (measurements < FIRST_MEASUREMENTS && measured.nanos() < typical.nanos() / 2) {
        return measured;
      }
      double within = Math.clamp(measured.nanos(), typical.nanos() / 2, 2 * typical.nanos());
      return typical.towards(new Point(measured.rows(), within), weight);
    }

    Cell unfinished(double soFar, long now) {
      Point least = new Point(recent.rows(), Math.max(soFar, recent.nanos()));
      return new Cell(least, deviation, typical, measurements, now);
    }

    Point predicted(long now) {
      long halvings = Math.min(Long.SIZE - 2, Math.max(0, now - atNanos) / FADE_NANOS);
      return new Point(recent.rows(), (recent.nanos() + deviation) / (1L << halvings));
    }

    boolean isFresh(long now) {
      return now - atNanos < MEMORY_NANOS;
    }

    boolean believed(long now) {
      return measurements >= FIRST_MEASUREMENTS && isFresh(now);
    }
  }

  /// The time of so many rows from the sizes that have been measured, of which there is one.
  @FunctionalInterface
  private interface Estimate {
    double nanos(NavigableMap<Integer, Cell> sizes, double rows);
  }

  /// When the latest trial was.
  private long trialNanos = Long.MIN_VALUE / 2;

  /// By width, class of length and class of rows.
  private final Map<Bits, NavigableMap<Integer, NavigableMap<Integer, Cell>>> cells =
      new HashMap<>();

  /// One computation took this long.
  ///
  /// @param work all rows of the batch, and the length class they share
  void record(Bits bits, Workload work, Took took, long now) {
    Point measured = new Point(work.rows(), (double) took.nanos());
    Point processor = new Point(work.rows(), (double) took.processorNanos());
    sizes(bits, work)
        .merge(
            rowsClass(work.rows()),
            Cell.first(measured, processor, now),
            (cell, _) -> cell.next(measured, processor, now));
  }

  /// One computation was given up after this long: it takes at least that, and what was known of it
  /// still holds.
  void recordUnfinished(Bits bits, Workload work, long nanos, long now) {
    Point soFar = new Point(work.rows(), (double) nanos);
    sizes(bits, work)
        .merge(
            rowsClass(work.rows()),
            new Cell(soFar, 0, soFar, 0, now),
            (cell, _) -> cell.unfinished((double) nanos, now));
  }

  /// Whether it is known to take no longer than this: not for want of measurements, and not because
  /// they have faded.
  boolean takesAtMost(long nanos, Bits bits, Workload work, long now) {
    Cell cell = sizesOf(bits, work).getOrDefault(rowsClass(work.rows()), Cell.UNKNOWN);
    return cell.believed(now)
        && Math.max(cell.typical().nanos(), cell.recent().nanos() + cell.deviation()) <= nanos;
  }

  private NavigableMap<Integer, Cell> sizes(Bits bits, Workload work) {
    return cells
        .computeIfAbsent(bits, _ -> new TreeMap<>())
        .computeIfAbsent(work.lengthClass(), _ -> new TreeMap<>());
  }

  /// @return predicted nanoseconds of one computation
  long predict(Bits bits, Workload work, long now) {
    Cell cell = sizesOf(bits, work).get(rowsClass(work.rows()));
    return cell == null
        ? (long) time(bits, work, (sizes, rows) -> inProportion(sizes, rows, now))
        : (long) cell.predicted(now).nanos();
  }

  /// What one computation has taken all along, for comparisons: nanoseconds of processor time.
  double typical(Bits bits, Workload work) {
    return time(bits, work, ComputeTimes::onALine);
  }

  /// What each width takes by what the widest takes. The same for all sizes, so that all
  /// measurements tell of it: single sizes are mostly noise. More bits are never quicker, so the
  /// narrowest is tried first. As long as it has hardly been measured its share is taken to be that
  /// of its bits, and the others for no quicker than the widest; after that those that have hardly
  /// been measured are taken to be as quick as the narrowest, so that no bits are lost for nothing.
  ///
  /// @param widths ascending
  Map<Bits, Double> shares(List<Bits> widths, long now) {
    Bits least = widths.getFirst();
    Bits widest = widths.getLast();
    OptionalDouble known = share(least, widest, now);
    double hopeful = Math.min(1, known.orElse((double) least.count() / widest.count()));
    double unknown = known.isPresent() ? hopeful : 1;
    Map<Bits, Double> shares = new HashMap<>();
    for (Bits bits : widths) {
      if (bits.equals(widest)) {
        shares.put(bits, 1.0);
      } else if (bits.equals(least)) {
        shares.put(bits, hopeful);
      } else {
        shares.put(bits, Math.min(1, share(bits, widest, now).orElse(unknown)));
      }
    }
    return shares;
  }

  /// Whether now is the time to measure a width that has rested, lest what narrower ones save is
  /// judged by what it once took. Says so once in a while.
  boolean wantsTrial(Bits bits, long now) {
    boolean rests =
        cells.getOrDefault(bits, Collections.emptyNavigableMap()).values().stream()
            .flatMap(sizes -> sizes.values().stream())
            .allMatch(cell -> now - cell.atNanos() >= TRIAL_NANOS);
    boolean due = rests && now - trialNanos >= TRIAL_NANOS;
    if (due) {
      trialNanos = now;
    }
    return due;
  }

  /// The time of all that has been measured of one width of late by the time that a wider one takes
  /// for the same.
  private OptionalDouble share(Bits bits, Bits wider, long now) {
    double own = 0;
    double other = 0;
    int measurements = 0;
    if (!cells.containsKey(wider)) {
      return OptionalDouble.empty();
    }
    for (var sizes : cells.getOrDefault(bits, Collections.emptyNavigableMap()).entrySet()) {
      for (Cell cell : sizes.getValue().values()) {
        if (cell.measurements() >= COLD_MEASUREMENTS && cell.isFresh(now)) {
          Point typical = cell.typical();
          own += cell.measurements() * typical.nanos();
          other +=
              cell.measurements()
                  * own(wider, typical.rows(), sizes.getKey(), ComputeTimes::onALine).getAsDouble();
          measurements += cell.measurements();
        }
      }
    }
    return measurements < FIRST_MEASUREMENTS
        ? OptionalDouble.empty()
        : OptionalDouble.of(own / other);
  }

  private NavigableMap<Integer, Cell> sizesOf(Bits bits, Workload work) {
    return cells
        .getOrDefault(bits, Collections.emptyNavigableMap())
        .getOrDefault(work.lengthClass(), Collections.emptyNavigableMap());
  }

  private double time(Bits bits, Workload work, Estimate estimate) {
    OptionalDouble own = own(bits, work, estimate);
    if (own.isPresent()) {
      return own.getAsDouble();
    }
    OptionalDouble wider = fromWider(bits, work, estimate);
    if (wider.isPresent()) {
      return wider.getAsDouble();
    }
    for (int narrower = bits.count() - 1; narrower >= 1; narrower--) {
      OptionalDouble other = own(new Bits(narrower), work, estimate);
      if (other.isPresent()) {
        return other.getAsDouble();
      }
    }
    return 0;
  }

  private OptionalDouble fromWider(Bits bits, Workload work, Estimate estimate) {
    for (int wider = bits.count() + 1; wider <= Bits.MAX; wider++) {
      OptionalDouble other = own(new Bits(wider), work, estimate);
      if (other.isPresent()) {
        return OptionalDouble.of(other.getAsDouble() * bits.count() / wider);
      }
    }
    return OptionalDouble.empty();
  }

  private OptionalDouble own(Bits bits, Workload work, Estimate estimate) {
    return own(bits, work.rows(), work.lengthClass(), estimate);
  }

  /// From the measurements of this width alone, of the nearest length.
  private OptionalDouble own(Bits bits, double rows, int lengthClass, Estimate estimate) {
    NavigableMap<Integer, NavigableMap<Integer, Cell>> lengths = cells.get(bits);
    if (lengths == null) {
      return OptionalDouble.empty();
    }
    Integer shorter = lengths.floorKey(lengthClass);
    Integer longer = lengths.ceilingKey(lengthClass);
    int nearest =
        longer == null || (shorter != null && lengthClass - shorter <= longer - lengthClass)
            ? shorter
            : longer;
    return OptionalDouble.of(
        Math.scalb(estimate.nanos(lengths.get(nearest), rows), lengthClass - nearest));
  }

  /// Predicted from the nearest size alone. A line through two cold measurements would stay too
  /// high until they fade. For the same reason the very first measurements say nothing of more rows
  /// than they had: a cold start is not slow in proportion to its rows, and a server that has just
  /// begun would refuse what it can do.
  private static double inProportion(NavigableMap<Integer, Cell> sizes, double rows, long now) {
    Cell cell =
        sizes.values().stream()
            .min(Comparator.comparingDouble(size -> Math.abs(size.recent().rows() - rows)))
            .orElseThrow();
    Point near = cell.predicted(now);
    double proportion = rows / near.rows();
    return near.nanos()
        * (cell.measurements() < COLD_MEASUREMENTS ? Math.min(1, proportion) : proportion);
  }

  /// Typical times: on the line that comes nearest to all of them, in parts of their size; from one
  /// alone in proportion. More rows take no less time than fewer, and no more than in proportion.
  private static double onALine(NavigableMap<Integer, Cell> sizes, double rows) {
    double weights = 0;
    double meanRows = 0;
    double meanNanos = 0;
    for (Cell cell : sizes.values()) {
      double weight = weight(cell);
      weights += weight;
      meanRows += weight * cell.typical().rows();
      meanNanos += weight * cell.typical().nanos();
    }
    meanRows /= weights;
    meanNanos /= weights;
    double along = 0;
    double across = 0;
    for (Cell cell : sizes.values()) {
      double more = cell.typical().rows() - meanRows;
      across += weight(cell) * more * more;
      along += weight(cell) * more * (cell.typical().nanos() - meanNanos);
    }
    double steepest = meanNanos / meanRows;
    double slope = across == 0 ? steepest : Math.clamp(along / across, 0, steepest);
    return meanNanos + slope * (rows - meanRows);
  }

  private static double weight(Cell cell) {
    double rows = Math.max(1, cell.typical().rows());
    return (cell.measurements() + 1) / (rows * rows);
  }

  private static int rowsClass(int rows) {
    return Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(1, rows) - 1);
  }
}
