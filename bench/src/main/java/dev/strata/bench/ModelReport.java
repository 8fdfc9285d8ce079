package dev.strata.bench;

import dev.strata.kernel.Limits;
import dev.strata.trainer.cli.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// What `bench model` has measured. Public for JSON.
///
/// @param model its name
/// @param machine with the limits of the start
/// @param limits for each input, as they were while it was measured
/// @param steps of the runs with one thread
public record ModelReport(
    String model, Machine machine, List<Limits> limits, List<ModelRow> rows, List<StepRow> steps) {

  static ModelReport of(String model, Machine machine, List<ModelRun.Result> results) {
    return new ModelReport(
        model,
        machine,
        results.stream().map(ModelRun.Result::limits).toList(),
        results.stream().flatMap(one -> one.rows().stream()).toList(),
        results.stream().flatMap(one -> one.steps().stream()).toList());
  }

  /// For a terminal: every step is a row.
  String text() {
    List<String> peers = peers();
    Table whole = new Table(wholeHead(peers));
    rows.forEach(row -> whole.row(cells(row, peers)));
    Table single = new Table(STEP_HEAD);
    steps.forEach(step -> single.row(cells(step)));
    return "\n%s\n%s\n%s\n".formatted(whole, single, String.join("\n", sums()));
  }

  /// For a document: steps that do the same are one row, and so are those that take little.
  String markdown() {
    List<String> peers = peers();
    return """
    %s.

    %s
    Steps of a run, those that do the same together, and those that take little of it:

    %s
    %s
    """
            .formatted(
                machine.describe(),
                Report.table(
                    wholeHead(peers), rows.stream().map(row -> cells(row, peers)).toList()),
                Report.table(
                    STEP_HEAD, StepRow.together(steps).stream().map(ModelReport::cells).toList()),
                sums().stream().collect(Collectors.joining("\n- ", "- ", "")))
            .strip()
        + "\n";
  }

  private List<String> peers() {
    return rows.stream().flatMap(row -> row.times().keySet().stream()).distinct().toList();
  }

  /// How far the steps account for the whole.
  private List<String> sums() {
    List<String> lines = new ArrayList<>();
    for (ModelRow row : rows) {
      List<StepRow> own =
          steps.stream()
              .filter(step -> step.input().equals(row.input()))
              .filter(step -> row.threads() == 1 && step.bits() == row.bits())
              .toList();
      if (!own.isEmpty()) {
        double sum = own.stream().mapToDouble(StepRow::micros).sum() / 1e3;
        double least = own.stream().mapToDouble(StepRow::leastMicros).sum() / 1e3;
        lines.add(
            "%s, %s: %d steps take %.3f ms, the run %.3f ms (%.2f of it); the limits allow %.3f ms"
                .formatted(
                    row.input(),
                    row.contender(),
                    own.size(),
                    sum,
                    row.millis(),
                    sum / row.millis(),
                    least));
      }
    }
    return lines;
  }

  private static List<String> wholeHead(List<String> peers) {
    List<String> head =
        new ArrayList<>(List.of("input", "contender", "ms", "p10", "p90", "answer ms"));
    peers.forEach(peer -> head.add("against " + peer));
    if (!peers.isEmpty()) {
      head.add("error");
    }
    head.add("activation bytes");
    return head;
  }

  private static List<String> cells(ModelRow row, List<String> peers) {
    List<String> cells =
        new ArrayList<>(
            List.of(
                row.input(),
                row.contender(),
                "%.3f".formatted(row.millis()),
                "%.3f".formatted(row.p10Millis()),
                "%.3f".formatted(row.p90Millis()),
                row.answerMillis() == 0 ? "-" : "%.3f".formatted(row.answerMillis())));
    peers.forEach(peer -> cells.add("%.2fx".formatted(row.times().get(peer))));
    if (!peers.isEmpty()) {
      cells.add("%.4f".formatted(row.error()));
    }
    cells.add(row.activationBytes() == 0 ? "-" : "%,d".formatted(row.activationBytes()));
    return cells;
  }

  private static final List<String> STEP_HEAD =
      List.of(
          "input",
          "bits",
          "steps",
          "first node",
          "path",
          "shape",
          "us",
          "10^6 multiply-adds",
          "weight KB",
          "activation KB",
          "roofline",
          "lost us");

  private static List<String> cells(StepRow step) {
    return List.of(
        step.input(),
        "" + step.bits(),
        "" + step.count(),
        step.node(),
        step.path(),
        step.shape(),
        "%.1f".formatted(step.micros()),
        "%.2f".formatted(step.multiplyAdds() / 1e6),
        "%.1f".formatted(step.weightBytes() / 1e3),
        "%.1f".formatted(step.activationBytes() / 1e3),
        "%.2f".formatted(step.roofline()),
        "%.1f".formatted(step.lostMicros()));
  }
}
