package dev.strata.loadtest.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.loadtest.drive.Run;
import dev.strata.loadtest.drive.Sample;
import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.scenario.Payload;
import dev.strata.loadtest.scenario.Phase;
import dev.strata.loadtest.scenario.Scenario;
import dev.strata.loadtest.wire.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SummaryTest {
  @TempDir private Path folder;

  @Test
  void percentilesAreThoseOfTheAnswersAtTheirWidth() {
    List<Sample> samples = new ArrayList<>();
    for (int i = 1; i <= 100; i++) {
      samples.add(answered(i, i, 8, "a"));
    }
    samples.add(answered(1, 1, 2, "b"));
    RunSummary summary = Summary.of(run(samples), AnswerCheck.fresh());

    RunSummary.Row wide = summary.rows().getFirst();
    assertEquals(8, wide.bits());
    assertEquals(50, wide.latency().p50(), 0.5);
    assertEquals(99, wide.latency().p99(), 0.5);
    assertEquals(100, wide.latency().max(), 0.5);
    assertEquals(50, wide.inTime());
    assertEquals(51, summary.inTime());
    assertEquals(101, summary.answered());
  }

  @Test
  void anotherAnswerToTheSameInputAtTheSameWidthIsWrong() {
    RunSummary summary =
        Summary.of(
            run(List.of(answered(1, 1, 8, "a"), answered(2, 1, 8, "b"), answered(3, 1, 4, "c"))),
            AnswerCheck.fresh());

    assertEquals(Map.of("a wrong answer at 8 bits", 1L), summary.failed());
    assertEquals(2, summary.answered());
  }

  @Test
  void recordedAnswersHoldForLaterRuns() throws IOException {
    AnswerCheck first = AnswerCheck.fresh();
    Summary.of(run(List.of(answered(1, 1, 8, "a"))), first);
    Path file = folder.resolve("answers.json");
    first.record(file);

    RunSummary later =
        Summary.of(run(List.of(answered(1, 1, 8, "other"))), AnswerCheck.recorded(file));
    assertEquals(1, later.failedTotal());
  }

  @Test
  void refusalsAndFailuresAreKeptApart() {
    RunSummary summary =
        Summary.of(
            run(
                List.of(
                    sample(1, 1, new Outcome.Refused("RESOURCE_EXHAUSTED", "full")),
                    sample(2, 1, new Outcome.Failed("no answer")))),
            AnswerCheck.fresh());

    assertEquals(1, summary.refusedTotal());
    assertEquals(1, summary.failedTotal());
    assertEquals(0, summary.answered());
    assertEquals(2, summary.timeline().getFirst().offered());
  }

  @Test
  void aSummarySurvivesItsFileAndEqualsItselfInAComparison() throws IOException {
    RunSummary summary = Summary.of(run(List.of(answered(1, 20, 8, "a"))), AnswerCheck.fresh());
    Path file = folder.resolve("run.json");
    ReportFiles.write(file, summary);

    assertEquals(summary, ReportFiles.read(file));
    assertTrue(Comparison.of(summary, ReportFiles.read(file), 0).worse().isEmpty());
  }

  @Test
  void aSlowerRunIsWorse() {
    RunSummary fast = Summary.of(run(List.of(answered(1, 10, 8, "a"))), AnswerCheck.fresh());
    RunSummary slow = Summary.of(run(List.of(answered(1, 20, 8, "a"))), AnswerCheck.fresh());

    assertEquals(2, Comparison.of(fast, slow, 0.5).worse().size());
    assertTrue(Comparison.of(slow, fast, 0.5).worse().isEmpty());
  }

  @Test
  void theReportIsOnePageWithFourPlots() throws IOException {
    Path file = folder.resolve("report.html");
    HtmlReport.write(
        file,
        Summary.of(
            run(List.of(answered(1, 10, 8, "a"), answered(1_500, 12, 4, "b"))),
            AnswerCheck.fresh()));

    String page = Files.readString(file);
    assertEquals(4, page.split("<svg", -1).length - 1);
    assertTrue(page.contains("<td>call &lt;1&gt;</td>"), "the call's name is escaped");
  }

  private static Sample answered(long atMillis, long latencyMillis, int bits, String digest) {
    return sample(atMillis, latencyMillis, new Outcome.Answered("1", bits, "", 100, 900, digest));
  }

  private static Sample sample(long atMillis, long latencyMillis, Outcome outcome) {
    return new Sample(0, 0, atMillis * 1_000_000, latencyMillis * 1_000_000, outcome);
  }

  private static Run run(List<Sample> samples) {
    Call call =
        new Call(
            "call <1>",
            1,
            "model",
            Call.Protocol.GRPC,
            Map.of("bits", 8),
            List.of(Payload.ofBytes("x", new byte[1])));
    Scenario scenario =
        new Scenario(
            "test",
            new Scenario.Target("", ""),
            7,
            new Scenario.Limits(10, 1_000, 100),
            50,
            0,
            List.of(call),
            List.of(new Phase.Open(2, 50, 50, true)));
    return new Run(scenario, samples, 0, 2);
  }
}
