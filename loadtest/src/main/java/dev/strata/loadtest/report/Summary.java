package dev.strata.loadtest.report;

import dev.strata.loadtest.drive.Run;
import dev.strata.loadtest.drive.Sample;
import dev.strata.loadtest.report.RunSummary.Latency;
import dev.strata.loadtest.report.RunSummary.Row;
import dev.strata.loadtest.report.RunSummary.Second;
import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.wire.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/// Counts and percentiles of a run.
public final class Summary {
  private static final long HIGHEST_MICROS = 3_600_000_000L;
  private static final int DIGITS = 3;

  private final Run run;
  private final AnswerCheck check;
  private final Map<Key, Group> groups = new TreeMap<>();
  private final Map<String, Long> refused = new TreeMap<>();
  private final Map<String, Long> failed = new TreeMap<>();
  private final Map<Integer, Bucket> timeline = new TreeMap<>();
  private long sent;
  private long answered;
  private long inTime;

  private record Key(int call, int bits) implements Comparable<Key> {
    @Override
    public int compareTo(Key other) {
      return call != other.call
          ? Integer.compare(call, other.call)
          : Integer.compare(other.bits, bits);
    }
  }

  private static final class Group {
    private final Histogram micros = new Histogram(HIGHEST_MICROS, DIGITS);
    private long inTime;
    private long queueMicros;
    private long computeMicros;
  }

  private static final class Bucket {
    private final Histogram micros = new Histogram(HIGHEST_MICROS, DIGITS);
    private final Map<Integer, Long> byBits = new TreeMap<>();
    private long offered;
    private long answered;
    private long inTime;
    private long refused;
  }

  private Summary(Run run, AnswerCheck check) {
    this.run = run;
    this.check = check;
  }

  /// @param check what answers are held against; a wrong answer counts as failed
  public static RunSummary of(Run run, AnswerCheck check) {
    return new Summary(run, check).summarize();
  }

  private RunSummary summarize() {
    double warmUp = run.scenario().warmUpSeconds();
    for (Sample sample : run.samples()) {
      if (sample.startSeconds() >= warmUp) {
        add(sample);
      }
    }
    double measured = Math.min(run.scenario().seconds(), run.scenario().limits().seconds());
    return new RunSummary(
        run.scenario().name(),
        run.scenario().deadlineMillis(),
        Math.max(0, measured - warmUp),
        sent,
        run.notSent(),
        answered,
        inTime,
        refused,
        failed,
        rows(),
        seconds());
  }

  private void add(Sample sample) {
    sent++;
    Bucket bucket = timeline.computeIfAbsent((int) sample.startSeconds(), _ -> new Bucket());
    bucket.offered++;
    switch (sample.outcome()) {
      case Outcome.Refused(String code, String _) -> {
        refused.merge(code, 1L, Long::sum);
        bucket.refused++;
      }
      case Outcome.Failed(String what) -> failed.merge(what, 1L, Long::sum);
      case Outcome.Answered answer -> {
        if (check.accepts(run.scenario().calls().get(sample.call()), sample.variant(), answer)) {
          answered(sample, answer, bucket);
        } else {
          failed.merge("a wrong answer at %d bits".formatted(answer.bits()), 1L, Long::sum);
        }
      }
    }
  }

  private void answered(Sample sample, Outcome.Answered answer, Bucket bucket) {
    Group group = groups.computeIfAbsent(new Key(sample.call(), answer.bits()), _ -> new Group());
    long micros = Math.min(sample.latencyNanos() / 1_000, HIGHEST_MICROS);
    group.micros.recordValue(micros);
    group.queueMicros += answer.queueMicros();
    group.computeMicros += answer.computeMicros();
    bucket.micros.recordValue(micros);
    bucket.byBits.merge(answer.bits(), 1L, Long::sum);
    bucket.answered++;
    answered++;
    if (sample.latencyMillis() <= run.scenario().deadlineMillis()) {
      group.inTime++;
      bucket.inTime++;
      inTime++;
    }
  }

  private List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    groups.forEach(
        (key, group) -> {
          Call call = run.scenario().calls().get(key.call());
          long count = group.micros.getTotalCount();
          rows.add(
              new Row(
                  call.name(),
                  call.protocol().name().toLowerCase(Locale.ROOT),
                  call.wish(),
                  key.bits(),
                  count,
                  group.inTime,
                  latency(group.micros),
                  group.queueMicros / 1e3 / count,
                  group.computeMicros / 1e3 / count));
        });
    return rows;
  }

  private static Latency latency(Histogram micros) {
    return new Latency(
        micros.getMean() / 1e3,
        micros.getValueAtPercentile(50) / 1e3,
        micros.getValueAtPercentile(90) / 1e3,
        micros.getValueAtPercentile(99) / 1e3,
        micros.getValueAtPercentile(99.9) / 1e3,
        micros.getMaxValue() / 1e3);
  }

  private List<Second> seconds() {
    List<Second> seconds = new ArrayList<>();
    timeline.forEach(
        (at, bucket) ->
            seconds.add(
                new Second(
                    at,
                    bucket.offered,
                    bucket.answered,
                    bucket.inTime,
                    bucket.refused,
                    bucket.micros.getValueAtPercentile(99) / 1e3,
                    Map.copyOf(bucket.byBits))));
    return seconds;
  }
}
