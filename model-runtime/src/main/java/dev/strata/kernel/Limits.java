package dev.strata.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;

/// What one core can do at most, measured: the roofline that benchmarks compare with.
///
/// @param dots 8-bit multiply-adds per second, in units of 10^9
/// @param floats single precision multiply-adds per second, in units of 10^9
/// @param ones products of two bits per second, in units of 10^9
/// @param level2 bytes per second read from the level 2 cache, in units of 10^9
/// @param level3 the same from the level 3 cache
/// @param memory the same from main memory
public record Limits(
    double dots, double floats, double ones, double level2, double level3, double memory) {
  private static final long LEVEL2_BYTES = 512L << 10;
  private static final long LEVEL3_BYTES = 6L << 20;
  private static final int SAMPLES = 9;
  private static final long ROUNDS = 20_000;

  private static final MethodHandle DOTS =
      NativeLibrary.loaded()
          .function("strata_limit_dots", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
  private static final MethodHandle FLOATS =
      NativeLibrary.loaded()
          .function("strata_limit_floats", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
  private static final MethodHandle ONES =
      NativeLibrary.loaded()
          .function("strata_limit_ones", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
  private static final MethodHandle READ =
      NativeLibrary.loaded()
          .function("strata_limit_read", FunctionDescriptor.of(JAVA_LONG, ADDRESS, JAVA_LONG));

  /// Measures with the instruction set in use; takes about a second.
  ///
  /// @param memoryBytes more than the last level of cache holds, at least 8 MiB
  /// @param clock nanoseconds; the processor time of this thread where others are busy too
  public static Limits measure(LongSupplier clock, long memoryBytes) {
    try (Probe probe = new Probe(clock, memoryBytes)) {
      for (int i = 0; i < SAMPLES; i++) {
        probe.sample();
      }
      return probe.limits();
    }
  }

  /// Measures the limits again and again between other work, so that what slows that work down for
  /// a while slows them too. For one thread.
  public static final class Probe implements AutoCloseable {
    private final LongSupplier clock;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment memory;
    private final List<Limits> samples = new ArrayList<>();

    /// @param clock and `memoryBytes` as for [Limits#measure]
    public Probe(LongSupplier clock, long memoryBytes) {
      this.clock = clock;
      this.memory = arena.allocate(memoryBytes, 64).fill((byte) 1);
    }

    /// Measures each limit once. Afterwards the caches hold none of the caller's data.
    public void sample() {
      MemorySegment level2 = memory.asSlice(0, LEVEL2_BYTES);
      MemorySegment level3 = memory.asSlice(0, LEVEL3_BYTES);
      samples.add(
          new Limits(
              warmRate(() -> dots(ROUNDS)),
              warmRate(() -> floats(ROUNDS)),
              warmRate(() -> ones(ROUNDS)),
              warmRate(() -> read(level2, 16)),
              warmRate(() -> read(level3, 4)),
              rate(() -> read(memory, 1))));
    }

    /// Medians of the samples.
    ///
    /// @throws IllegalStateException if there are none
    public Limits limits() {
      if (samples.isEmpty()) {
        throw new IllegalStateException("no limits were measured");
      }
      return new Limits(
          median(Limits::dots),
          median(Limits::floats),
          median(Limits::ones),
          median(Limits::level2),
          median(Limits::level3),
          median(Limits::memory));
    }

    private double median(ToDoubleFunction<Limits> part) {
      return samples.stream().mapToDouble(part).sorted().toArray()[samples.size() / 2];
    }

    /// The first call brings the data into the cache, and wakes units that sleep between uses.
    private double warmRate(LongSupplier work) {
      long _ = work.getAsLong();
      return rate(work);
    }

    private double rate(LongSupplier work) {
      long start = clock.getAsLong();
      long amount = work.getAsLong();
      return (double) amount / Math.max(1, clock.getAsLong() - start);
    }

    @Override
    public void close() {
      arena.close();
    }
  }

  /// Multiply-adds of bytes.
  ///
  /// @return how many
  public static long dots(long rounds) {
    try {
      return (long) DOTS.invokeExact(rounds);
    } catch (Throwable failure) {
      throw new AssertionError("strata_limit_dots", failure);
    }
  }

  /// Multiply-adds of floats.
  ///
  /// @return how many
  public static long floats(long rounds) {
    try {
      return (long) FLOATS.invokeExact(rounds);
    } catch (Throwable failure) {
      throw new AssertionError("strata_limit_floats", failure);
    }
  }

  /// Products of two bits.
  ///
  /// @return how many
  public static long ones(long rounds) {
    try {
      return (long) ONES.invokeExact(rounds);
    } catch (Throwable failure) {
      throw new AssertionError("strata_limit_ones", failure);
    }
  }

  /// Reads a segment several times.
  ///
  /// @return bytes read
  public static long read(MemorySegment x, int times) {
    try {
      for (int i = 0; i < times; i++) {
        long _ = (long) READ.invokeExact(x, x.byteSize());
      }
    } catch (Throwable failure) {
      throw new AssertionError("strata_limit_read", failure);
    }
    return x.byteSize() * times;
  }
}
