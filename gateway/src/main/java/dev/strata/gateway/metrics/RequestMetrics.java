package dev.strata.gateway.metrics;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.InferenceResult;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.Precision;
import dev.strata.gateway.call.Protocol;
import dev.strata.gateway.metrics.ModelLabels.Label;
import dev.strata.graph.Shape;
import dev.strata.precision.Bits;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.distribution.CountAtBucket;
import io.opentelemetry.context.Context;
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

/// What each request cost and how it ended: `docs/operations.md` lists the names. A request that is
/// answered rung by rung counts once for each rung.
@Singleton
public final class RequestMetrics {

  /// 20 us to 4 s, each 1.7 times the one before, and 10 s.
  private static final Duration[] BUCKETS = buckets();

  private static final String OK = "ok";
  private static final String DEFECT = "internal";

  private enum Stage {
    DECODE,
    QUEUE,
    COMPUTE,
    ENCODE,
    TOTAL;

    private final String label = name().toLowerCase(Locale.ROOT);
  }

  /// @param bits empty where none were chosen
  private record Series(Label model, String bits, Protocol protocol) {}

  private record Outcome(Series series, String outcome) {}

  /// @param requested the wish, in one word
  /// @param bits the width served
  private record Served(String model, String requested, String bits) {}

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
  private final Map<Served, Counter> served = new ConcurrentHashMap<>();
  private final ModelLabels labels;
  private final Tracing tracing;

  RequestMetrics(
      MeterRegistry registry, ModelLabels labels, RequestStatistics statistics, Tracing tracing) {
    this.registry = registry;
    this.tracing = tracing;
    this.labels = labels;
    this.statistics = statistics;
  }

  /// What comes over a connection now. To be asked on the thread that was called, whose trace it
  /// belongs to.
  public Exchange exchange(Protocol protocol) {
    return new Exchange(protocol, tracing.caller());
  }

  /// One request of a client or, of a stream, all of them, from its bytes to those of its answer.
  public final class Exchange {
    private final Protocol protocol;
    private final Context trace;

    private Exchange(Protocol protocol, Context trace) {
      this.protocol = protocol;
      this.trace = trace;
    }

    public Request start() {
      return new Request(protocol, tracing.begin(trace, protocol));
    }

    /// Puts an answer into the wire's form and counts how long that took.
    public <T> T encode(InferenceResult result, Function<InferenceResult, T> writer) {
      long start = System.nanoTime();
      T written = writer.apply(result);
      long end = System.nanoTime();
      Series series =
          new Series(
              labels.of(result.model(), result.version()), result.bits().toString(), protocol);
      meters(series).encode().record(end - start, TimeUnit.NANOSECONDS);
      statistics.encoded(
          result.model(), result.version(), result.bits(), rows(result), end - start);
      tracing.serialized(trace, start, end);
      return written;
    }
  }

  /// Upper bounds of the latency buckets, ascending.
  public static List<Duration> bounds() {
    return List.of(BUCKETS);
  }

  /// How many answers of one width took at most each of [#bounds], since the start and over all
  /// protocols; zeros for one that has not answered.
  public List<Long> answeredWithin(String model, String version, Bits bits) {
    Label wanted = labels.of(model, version);
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
    private final Protocol protocol;
    private Label model = Label.NONE;

    /// Of the request, or of what is left of it after the latest answer.
    private long start = System.nanoTime();

    private long decodeNanos;

    private final Optional<RequestSpan> span;

    private Request(Protocol protocol, Optional<RequestSpan> span) {
      this.protocol = protocol;
      this.span = span;
    }

    /// The request is in the gateway's own form now.
    public void decoded() {
      long now = System.nanoTime();
      decodeNanos = now - start;
      span.ifPresent(open -> open.parsed(start, now));
    }

    public void model(String name, String number) {
      model = labels.of(name, number);
      span.ifPresent(open -> open.model(name, number));
    }

    /// @param result null if the request failed
    /// @param failure null if it did not
    public void finish(InferenceResult result, Throwable failure) {
      if (failure == null) {
        answered(result);
        span.ifPresent(RequestSpan::end);
        return;
      }
      Outcome ended = new Outcome(new Series(model, "", protocol), outcome(failure));
      span.ifPresent(open -> open.fail(ended.outcome()));
      refused.computeIfAbsent(ended, this::counter).increment();
      if (!model.equals(Label.NONE)) {
        statistics.failed(model.model(), model.version(), System.nanoTime() - start);
      }
    }

    /// Counts one answer; the time until the next one belongs to that.
    public void answered(InferenceResult result) {
      long now = System.nanoTime();
      long total = now - start;
      long rows = rows(result);
      String bits = result.bits().toString();
      Meters meters = meters(new Series(model, bits, protocol));
      if (span.isPresent()) {
        span.get().answered(result, rows, now);
        span.get().recording(() -> record(meters, result, total));
      } else {
        record(meters, result, total);
      }
      meters.decode().record(decodeNanos, TimeUnit.NANOSECONDS);
      meters.rows().record((double) rows);
      meters.answers().increment();
      meters.servedBits().increment(result.bits().count());
      served(new Served(model.model(), requested(result.requested()), bits)).increment();
      statistics.answered(
          result.model(),
          result.version(),
          result.bits(),
          rows,
          total,
          decodeNanos,
          TimeUnit.MICROSECONDS.toNanos(result.queueMicros()),
          TimeUnit.MICROSECONDS.toNanos(result.computeMicros()));
      start = now;
      decodeNanos = 0;
    }

    /// What may be worth a look at a trace: it becomes the exemplar of these.
    private void record(Meters meters, InferenceResult result, long total) {
      meters.queue().record(result.queueMicros(), TimeUnit.MICROSECONDS);
      meters.compute().record(result.computeMicros(), TimeUnit.MICROSECONDS);
      meters.total().record(total, TimeUnit.NANOSECONDS);
    }

    private Counter counter(Outcome key) {
      return requests(key.series(), key.outcome());
    }
  }

  /// Shows a model that is ready with zeros for what nobody has asked of it yet, since a counter
  /// that appears with its first event hides that event from `rate` and `increase`. The histograms
  /// appear with their first answer: there are too many of them.
  void show(ModelCard card) {
    Label model = labels.of(card.name(), card.version());
    for (Protocol protocol : Protocol.values()) {
      card.precisions().forEach(bits -> requests(new Series(model, bits.toString(), protocol), OK));
      for (ErrorCode code : ErrorCode.values()) {
        if (code != ErrorCode.MODEL_NOT_FOUND && code != ErrorCode.MODEL_NOT_READY) {
          requests(new Series(model, "", protocol), label(code));
        }
      }
      requests(new Series(model, "", protocol), DEFECT);
    }
    servedBits(model);
    for (Bits bits : card.precisions()) {
      served(new Served(model.model(), bits.toString(), bits.toString()));
    }
  }

  /// A wish in one word: how many there are is known.
  private static String requested(Precision wish) {
    return switch (wish) {
      case Precision.Exactly(Bits bits) -> bits.toString();
      case Precision.Between(_) -> "range";
      case Precision.Within(_, _) -> "budget";
      case Precision.Auto(_) -> "auto";
      case Precision.Cascade() -> "cascade";
      case Precision.Ladder(_) -> "ladder";
      case Precision.ModelDefault() -> "default";
    };
  }

  private Counter served(Served key) {
    Counter known = served.get(key);
    return known == null
        ? served.computeIfAbsent(
            key,
            _ ->
                Counter.builder("strata.precision.answers")
                    .description("Answers by what was asked and what was served")
                    .tag("model", key.model())
                    .tag("requested", key.requested())
                    .tag("bits", key.bits())
                    .register(registry))
        : known;
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
        requests(series, OK),
        servedBits(series.model()));
  }

  private Timer timer(Series series, Stage stage) {
    return Timer.builder("strata.request.duration")
        .description("Time of answered requests: each stage, and from decoding on")
        .tags(tags(series))
        .tag("stage", stage.label)
        .serviceLevelObjectives(BUCKETS)
        .register(registry);
  }

  private Counter servedBits(Label model) {
    return Counter.builder("strata.precision.served.bits")
        .description("Sum of the widths of answers; by their number: the mean width")
        .tag("model", model.model())
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
    return series.model().tags().and("bits", series.bits(), "protocol", series.protocol().label());
  }

  private static long rows(InferenceResult result) {
    for (InferenceResult.Output output : result.outputs()) {
      Shape shape = output.tensor().shape();
      if (shape.rank() > 0) {
        return shape.dim(0);
      }
    }
    return 1;
  }

  private static String outcome(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException wrapped
            ? Optional.ofNullable(wrapped.getCause()).orElse(wrapped)
            : failure;
    return switch (cause) {
      case InferenceException refusal -> label(refusal.code());
      default -> DEFECT;
    };
  }

  private static String label(ErrorCode code) {
    return code.name().toLowerCase(Locale.ROOT);
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
