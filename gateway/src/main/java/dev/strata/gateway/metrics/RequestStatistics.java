package dev.strata.gateway.metrics;

import dev.strata.precision.Bits;
import jakarta.inject.Singleton;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;

/// Exact counts of what was asked and what it took, per model, version and width, since the start.
/// They never go down, so that a client can take differences.
@Singleton
public final class RequestStatistics {

  /// How often, and how long altogether.
  public record Total(long count, long nanos) {

    public static final Total NONE = new Total(0, 0);

    public Total plus(Total other) {
      return new Total(count + other.count, nanos + other.nanos);
    }
  }

  /// The phases of requests of one size.
  ///
  /// @param rows first dimension of the inputs
  public record Batch(long rows, Total decode, Total compute, Total encode) {}

  /// What one width has answered.
  ///
  /// @param success from decoding to the answer
  /// @param decode from the wire's form to tensors
  /// @param encode from tensors to the wire's form
  /// @param batches by size, ascending
  public record Width(
      String model,
      String version,
      Bits bits,
      long lastMillis,
      long rows,
      Total success,
      Total queue,
      Total decode,
      Total compute,
      Total encode,
      List<Batch> batches) {}

  private record Key(String model, String version, Bits bits) {}

  private record VersionKey(String model, String version) {}

  private static final class Adder {
    private final LongAdder count = new LongAdder();
    private final LongAdder nanos = new LongAdder();

    void add(long duration) {
      count.increment();
      nanos.add(duration);
    }

    Total total() {
      return new Total(count.sum(), nanos.sum());
    }
  }

  private static final class Phases {
    private final Adder decode = new Adder();
    private final Adder compute = new Adder();
    private final Adder encode = new Adder();
  }

  private static final class Counts {
    private final Adder success = new Adder();
    private final Adder queue = new Adder();
    private final Phases all = new Phases();
    private final LongAdder rows = new LongAdder();
    private final LongAccumulator lastMillis = new LongAccumulator(Math::max, 0);
    private final Map<Long, Phases> bySize = new ConcurrentHashMap<>();
  }

  private final Map<Key, Counts> widths = new ConcurrentHashMap<>();
  private final Map<VersionKey, Adder> failures = new ConcurrentHashMap<>();

  /// Counts one answer, all but its encoding.
  void answered(
      String model,
      String version,
      Bits bits,
      long rows,
      long totalNanos,
      long decodeNanos,
      long queueNanos,
      long computeNanos) {
    Counts counts = widths.computeIfAbsent(new Key(model, version, bits), _ -> new Counts());
    counts.success.add(totalNanos);
    counts.queue.add(queueNanos);
    counts.all.decode.add(decodeNanos);
    counts.all.compute.add(computeNanos);
    counts.rows.add(rows);
    counts.lastMillis.accumulate(System.currentTimeMillis());
    Phases phases = counts.bySize.computeIfAbsent(rows, _ -> new Phases());
    phases.decode.add(decodeNanos);
    phases.compute.add(computeNanos);
  }

  void encoded(String model, String version, Bits bits, long rows, long nanos) {
    Counts counts = widths.computeIfAbsent(new Key(model, version, bits), _ -> new Counts());
    counts.all.encode.add(nanos);
    counts.bySize.computeIfAbsent(rows, _ -> new Phases()).encode.add(nanos);
  }

  /// Counts a request that ended without an answer after its model was known.
  void failed(String model, String version, long totalNanos) {
    failures.computeIfAbsent(new VersionKey(model, version), _ -> new Adder()).add(totalNanos);
  }

  /// By width, ascending; empty if nothing has been answered.
  public List<Width> widths(String model, String version) {
    Stream<Map.Entry<Key, Counts>> mine =
        widths.entrySet().stream()
            .filter(entry -> entry.getKey().model().equals(model))
            .filter(entry -> entry.getKey().version().equals(version));
    return mine.map(entry -> width(entry.getKey(), entry.getValue()))
        .sorted(Comparator.comparing(width -> width.bits().count()))
        .toList();
  }

  public Total failures(String model, String version) {
    Adder adder = failures.get(new VersionKey(model, version));
    return adder == null ? Total.NONE : adder.total();
  }

  private static Width width(Key key, Counts counts) {
    return new Width(
        key.model(),
        key.version(),
        key.bits(),
        counts.lastMillis.get(),
        counts.rows.sum(),
        counts.success.total(),
        counts.queue.total(),
        counts.all.decode.total(),
        counts.all.compute.total(),
        counts.all.encode.total(),
        counts.bySize.entrySet().stream()
            .map(
                size ->
                    new Batch(
                        size.getKey(),
                        size.getValue().decode.total(),
                        size.getValue().compute.total(),
                        size.getValue().encode.total()))
            .sorted(Comparator.comparingLong(Batch::rows))
            .toList());
  }
}
