package dev.strata.bench;

import dev.strata.plan.PlanProfile;
import dev.strata.plan.StepDescription;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What `bench model` says of one step of a plan, or of several that do the same. Public for JSON.
///
/// @param count how many steps these are; all figures are of them together
/// @param node the first one's
/// @param leastMicros what the processor's limits allow
public record StepRow(
    String input,
    int bits,
    int count,
    String node,
    String path,
    String shape,
    long multiplyAdds,
    long weightBytes,
    long activationBytes,
    double micros,
    double leastMicros) {

  /// The part of a run that is not worth a row of its own in a document.
  private static final double LITTLE = 0.02;

  /// The limits' time, of the measured.
  double roofline() {
    return leastMicros / micros;
  }

  double lostMicros() {
    return Math.max(0, micros - leastMicros);
  }

  double gigaMultiplyAdds() {
    return multiplyAdds / micros / 1e3;
  }

  double multiplyAddsPerByte() {
    return (double) multiplyAdds / (weightBytes + activationBytes);
  }

  /// @param micros medians of the steps, in their order
  static List<StepRow> of(
      String input, int bits, Machine machine, PlanProfile profile, double[] micros) {
    List<StepDescription> steps = profile.plan().steps();
    // What a run reads again comes from the cache that holds all of it.
    double weights =
        machine.bandwidth(steps.stream().mapToLong(StepDescription::weightBytes).sum(), false);
    double values = machine.bandwidth(profile.plan().activationBytes(), false);
    List<StepRow> rows = new ArrayList<>();
    for (int i = 0; i < steps.size(); i++) {
      StepDescription step = steps.get(i);
      double nanos =
          Math.max(
              step.multiplyAdds() / peak(step, machine),
              step.weightBytes() / weights + step.activationBytes() / values);
      rows.add(
          new StepRow(
              input,
              bits,
              1,
              step.node(),
              step.path(),
              step.shape(),
              step.multiplyAdds(),
              step.weightBytes(),
              step.activationBytes(),
              micros[i],
              nanos / 1e3));
    }
    return rows;
  }

  /// Multiply-adds per nanosecond that the step's path could do at most.
  private static double peak(StepDescription step, Machine machine) {
    if (step.planes() == 0) {
      return machine.limits().floats();
    }
    return step.path().contains("bitserial")
        ? machine.limits().ones() / (step.planes() * step.activationBits())
        : machine.limits().dots();
  }

  /// Steps that do the same as one row, where the first of them stood, and all that take little of
  /// their run as another.
  static List<StepRow> together(List<StepRow> rows) {
    record Run(String input, int bits) {}
    Map<Run, Double> runs = new LinkedHashMap<>();
    rows.forEach(row -> runs.merge(new Run(row.input, row.bits), row.micros, Double::sum));
    List<StepRow> kept = new ArrayList<>();
    runs.forEach(
        (run, micros) -> {
          List<StepRow> few = new ArrayList<>();
          for (StepRow kind : kinds(rows)) {
            if (kind.input.equals(run.input()) && kind.bits == run.bits()) {
              (kind.micros < LITTLE * micros ? few : kept).add(kind);
            }
          }
          few.stream().reduce(StepRow::with).ifPresent(all -> kept.add(all.named("the others")));
        });
    return kept;
  }

  private StepRow named(String name) {
    return new StepRow(
        input,
        bits,
        count,
        name,
        "",
        "",
        multiplyAdds,
        weightBytes,
        activationBytes,
        micros,
        leastMicros);
  }

  private static List<StepRow> kinds(List<StepRow> rows) {
    record Kind(String input, int bits, String path, String shape) {}
    Map<Kind, StepRow> kinds = new LinkedHashMap<>();
    for (StepRow row : rows) {
      kinds.merge(new Kind(row.input, row.bits, row.path, row.shape), row, StepRow::with);
    }
    return List.copyOf(kinds.values());
  }

  private StepRow with(StepRow other) {
    return new StepRow(
        input,
        bits,
        count + other.count,
        node,
        path,
        shape,
        multiplyAdds + other.multiplyAdds,
        weightBytes + other.weightBytes,
        activationBytes + other.activationBytes,
        micros + other.micros,
        leastMicros + other.leastMicros);
  }
}
