package dev.strata.gateway.metrics;

import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.InferenceResult;
import dev.strata.gateway.call.Protocol;
import dev.strata.precision.Bits;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/// What each request cost and how it ended: `strata_request_duration_seconds` and
/// `strata_requests_total`. Only names of models that are really there become labels.
@Singleton
public final class RequestMetrics {

  /// 100 us to 10 s, about two and a half buckets a factor of ten.
  private static final Duration[] BUCKETS =
      micros(
          100,
          200,
          300,
          500,
          750,
          1_000,
          1_500,
          2_000,
          3_000,
          5_000,
          7_500,
          10_000,
          15_000,
          20_000,
          30_000,
          50_000,
          75_000,
          100_000,
          200_000,
          300_000,
          500_000,
          1_000_000,
          2_000_000,
          5_000_000,
          10_000_000);

  private enum Stage {
    QUEUE,
    COMPUTE,
    TOTAL;

    private final String label = name().toLowerCase(Locale.ROOT);
  }

  private record Series(String model, String version, String bits, Protocol protocol) {}

  private record Durations(Timer queue, Timer compute, Timer total) {}

  private record Outcome(Series series, String outcome) {}

  private final MeterRegistry meters;
  private final Map<Series, Durations> durations = new ConcurrentHashMap<>();
  private final Map<Outcome, Counter> outcomes = new ConcurrentHashMap<>();

  RequestMetrics(MeterRegistry meters) {
    this.meters = meters;
  }

  public Request start(Protocol protocol) {
    return new Request(protocol);
  }

  /// One request, from the first byte decoded to the answer. The pipeline tells it what it learns.
  public final class Request {
    private final long start = System.nanoTime();
    private final Protocol protocol;
    private String model = "";
    private String version = "";
    private String bits = "";

    private Request(Protocol protocol) {
      this.protocol = protocol;
    }

    public void model(String name, String number) {
      model = name;
      version = number;
    }

    public void bits(Bits chosen) {
      bits = chosen.toString();
    }

    /// @param result null if the request failed
    /// @param failure null if it did not
    public void finish(InferenceResult result, Throwable failure) {
      Series series = new Series(model, version, bits, protocol);
      outcomes.computeIfAbsent(new Outcome(series, outcome(failure)), this::counter).increment();
      if (failure == null) {
        Durations timers = durations.computeIfAbsent(series, this::timers);
        timers.queue().record(result.queueMicros(), TimeUnit.MICROSECONDS);
        timers.compute().record(result.computeMicros(), TimeUnit.MICROSECONDS);
        timers.total().record(System.nanoTime() - start, TimeUnit.NANOSECONDS);
      }
    }

    private Counter counter(Outcome key) {
      return Counter.builder("strata.requests")
          .description("Requests by how they ended")
          .tag("model", key.series().model())
          .tag("version", key.series().version())
          .tag("bits", key.series().bits())
          .tag("protocol", key.series().protocol().label())
          .tag("outcome", key.outcome())
          .register(meters);
    }

    private Durations timers(Series series) {
      return new Durations(
          timer(series, Stage.QUEUE), timer(series, Stage.COMPUTE), timer(series, Stage.TOTAL));
    }

    private Timer timer(Series series, Stage stage) {
      return Timer.builder("strata.request.duration")
          .description("Time of answered requests: waiting, computing, and from decoding on")
          .tag("model", series.model())
          .tag("version", series.version())
          .tag("bits", series.bits())
          .tag("protocol", series.protocol().label())
          .tag("stage", stage.label)
          .serviceLevelObjectives(BUCKETS)
          .register(meters);
    }
  }

  private static String outcome(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException wrapped
            ? Optional.ofNullable(wrapped.getCause()).orElse(wrapped)
            : failure;
    return switch (cause) {
      case null -> "ok";
      case InferenceException refused -> refused.code().name().toLowerCase(Locale.ROOT);
      default -> "internal";
    };
  }

  private static Duration[] micros(long... values) {
    Duration[] durations = new Duration[values.length];
    for (int i = 0; i < values.length; i++) {
      durations[i] = Duration.of(values[i], java.time.temporal.ChronoUnit.MICROS);
    }
    return durations;
  }
}
