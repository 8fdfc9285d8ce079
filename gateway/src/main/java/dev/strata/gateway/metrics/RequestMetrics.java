package dev.strata.gateway.metrics;

import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.InferenceResult;
import dev.strata.gateway.call.Protocol;
import dev.strata.precision.Bits;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.distribution.CountAtBucket;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.IntStream;

/// What each request cost and how it ended: `docs/operations.md` lists the names. Only models that
/// are really there become labels, and only so many of them; the rest share the label `other`.
@Singleton
public final class RequestMetrics {

  /// 20 us to 4 s, each 1.7 times the one before, and 10 s.
  private static final Duration[] BUCKETS = buckets();

  /// Most model versions with series of their own.
  private static final int MOST_MODELS = 100;

  private static final String OTHER = "other";

  private enum Stage {
    DECODE,
    QUEUE,
    COMPUTE,
    ENCODE,
    TOTAL;

    private final String label = name().toLowerCase(Locale.ROOT);
  }

  private record ModelVersion(String model, String version) {}

  private record Series(ModelVersion model, String bits, Protocol protocol) {}

  private record Outcome(Series series, String outcome) {}

  /// All that one answer touches, found once.
  private record Meters(
      Timer decode,
      Timer queue,
      Timer compute,
      Timer encode,
      Timer total,
      DistributionSummary rows,
      Counter answers,
      Counter servedBits) {}

  private final MeterRegistry registry;
  private final RequestStatistics statistics;
  private final Map<Series, Meters> answered = new ConcurrentHashMap<>();
  private final Map<Outcome, Counter> refused = new ConcurrentHashMap<>();
  private final Map<ModelVersion, ModelVersion> labels = new ConcurrentHashMap<>();

  RequestMetrics(MeterRegistry registry, RequestStatistics statistics) {
    this.registry = registry;
    this.statistics = statistics;
  }

  public Request start(Protocol protocol) {
    return new Request(protocol);
  }

  /// Puts an answer into the wire's form and counts how long that took.
  public <T> T encode(
      Protocol protocol, InferenceResult result, Function<InferenceResult, T> writer) {
    long start = System.nanoTime();
    T written = writer.apply(result);
    encoded(protocol, result, System.nanoTime() - start);
    return written;
  }

  private void encoded(Protocol protocol, InferenceResult result, long nanos) {
    Series series =
        series(
            new ModelVersion(result.model(), result.version()), result.bits().toString(), protocol);
    meters(series).encode().record(nanos, TimeUnit.NANOSECONDS);
    statistics.encoded(result.model(), result.version(), result.bits(), rows(result), nanos);
  }

  /// Upper bounds of the latency buckets, ascending.
  public static List<Duration> bounds() {
    return List.of(BUCKETS);
  }

  /// How many answers of one width took at most each of [#bounds], since the start and over all
  /// protocols; zeros for one that has not answered.
  public List<Long> answeredWithin(String model, String version, Bits bits) {
    ModelVersion wanted = new ModelVersion(model, version);
    long[] counts = new long[BUCKETS.length];
    answered.forEach(
        (series, meters) -> {
          if (series.model().equals(wanted) && series.bits().equals(bits.toString())) {
            CountAtBucket[] buckets = meters.total().takeSnapshot().histogramCounts();
            for (int i = 0; i < counts.length; i++) {
              counts[i] += (long) buckets[i].count();
            }
          }
        });
    return Arrays.stream(counts).boxed().toList();
  }

  /// One request, from the first byte decoded to the answer. The pipeline tells it what it learns.
  public final class Request {
    private final long start = System.nanoTime();
    private final Protocol protocol;
    private ModelVersion model = new ModelVersion("", "");
    private String bits = "";
    private long decodeNanos;

    private Request(Protocol protocol) {
      this.protocol = protocol;
    }

    /// The request is in the gateway's own form now.
    public void decoded() {
      decodeNanos = System.nanoTime() - start;
    }

    public void model(String name, String number) {
      model = new ModelVersion(name, number);
    }

    public void bits(Bits chosen) {
      bits = chosen.toString();
    }

    /// @param result null if the request failed
    /// @param failure null if it did not
    public void finish(InferenceResult result, Throwable failure) {
      long total = System.nanoTime() - start;
      if (failure != null) {
        Outcome ended = new Outcome(series(model, bits, protocol), outcome(failure));
        refused.computeIfAbsent(ended, this::counter).increment();
        if (!model.model().isEmpty()) {
          statistics.failed(model.model(), model.version(), total);
        }
        return;
      }
      long rows = rows(result);
      Meters meters = meters(series(model, result.bits().toString(), protocol));
      meters.decode().record(decodeNanos, TimeUnit.NANOSECONDS);
      meters.queue().record(result.queueMicros(), TimeUnit.MICROSECONDS);
      meters.compute().record(result.computeMicros(), TimeUnit.MICROSECONDS);
      meters.total().record(total, TimeUnit.NANOSECONDS);
      meters.rows().record((double) rows);
      meters.answers().increment();
      meters.servedBits().increment(result.bits().count());
      statistics.answered(
          result.model(),
          result.version(),
          result.bits(),
          rows,
          total,
          decodeNanos,
          TimeUnit.MICROSECONDS.toNanos(result.queueMicros()),
          TimeUnit.MICROSECONDS.toNanos(result.computeMicros()));
    }

    private Counter counter(Outcome key) {
      return requests(key.series(), key.outcome());
    }
  }

  private Series series(ModelVersion model, String bits, Protocol protocol) {
    ModelVersion label = labels.get(model);
    if (label == null) {
      label =
          labels.size() < MOST_MODELS || model.model().isEmpty()
              ? model
              : new ModelVersion(OTHER, OTHER);
      labels.putIfAbsent(model, label);
    }
    return new Series(label, bits, protocol);
  }

  private Meters meters(Series series) {
    Meters known = answered.get(series);
    return known == null ? answered.computeIfAbsent(series, this::register) : known;
  }

  private Meters register(Series series) {
    return new Meters(
        timer(series, Stage.DECODE),
        timer(series, Stage.QUEUE),
        timer(series, Stage.COMPUTE),
        timer(series, Stage.ENCODE),
        timer(series, Stage.TOTAL),
        DistributionSummary.builder("strata.request.rows")
            .description("Rows (first dimension) of answered requests")
            .tags(tags(series))
            .serviceLevelObjectives(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
            .register(registry),
        requests(series, "ok"),
        Counter.builder("strata.precision.served.bits")
            .description("Sum of the widths of answered requests; by the requests: the mean width")
            .tags(Tags.of("model", series.model().model()))
            .register(registry));
  }

  private Timer timer(Series series, Stage stage) {
    return Timer.builder("strata.request.duration")
        .description("Time of answered requests: each stage, and from decoding on")
        .tags(tags(series))
        .tag("stage", stage.label)
        .serviceLevelObjectives(BUCKETS)
        .register(registry);
  }

  private Counter requests(Series series, String outcome) {
    return Counter.builder("strata.requests")
        .description("Requests by how they ended")
        .tags(tags(series))
        .tag("outcome", outcome)
        .register(registry);
  }

  private static Tags tags(Series series) {
    return Tags.of(
        "model", series.model().model(),
        "version", series.model().version(),
        "bits", series.bits(),
        "protocol", series.protocol().label());
  }

  private static long rows(InferenceResult result) {
    return result.outputs().stream()
        .map(output -> output.tensor().shape())
        .filter(shape -> shape.rank() > 0)
        .findFirst()
        .map(shape -> shape.dim(0))
        .orElse(1L);
  }

  private static String outcome(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException wrapped
            ? Optional.ofNullable(wrapped.getCause()).orElse(wrapped)
            : failure;
    return switch (cause) {
      case InferenceException refusal -> refusal.code().name().toLowerCase(Locale.ROOT);
      default -> "internal";
    };
  }

  private static Duration[] buckets() {
    return IntStream.rangeClosed(0, 24)
        .mapToObj(
            step ->
                step == 24
                    ? Duration.ofSeconds(10)
                    : Duration.ofNanos(1000 * Math.round(20 * Math.pow(1.7, step))))
        .toArray(Duration[]::new);
  }
}
