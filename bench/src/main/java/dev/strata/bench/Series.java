package dev.strata.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/// Calls of one contender, measured in turns.
final class Series {
  private static final long TURN_NANOS = 1_000_000;
  private static final int MOST_CALLS = 50;

  private final Runnable call;
  private final List<Double> nanos = new ArrayList<>();

  Series(Runnable call) {
    this.call = call;
  }

  /// One call that is not measured, because others had the caches, then as many as make a
  /// millisecond.
  ///
  /// @param counts whether the turn is more than a warm-up
  void turn(LongSupplier clock, boolean counts) {
    long start = clock.getAsLong();
    call.run();
    long first = clock.getAsLong() - start;
    int calls = Math.clamp(TURN_NANOS / Math.max(1, first), 1, MOST_CALLS);
    start = clock.getAsLong();
    for (int i = 0; i < calls; i++) {
      call.run();
    }
    double each = (double) (clock.getAsLong() - start) / calls;
    if (counts) {
      nanos.add(each);
    }
  }

  /// Milliseconds of a call.
  double quantile(double share) {
    List<Double> sorted = nanos.stream().sorted().toList();
    return sorted.get((int) Math.round(share * (sorted.size() - 1))) / 1e6;
  }
}
