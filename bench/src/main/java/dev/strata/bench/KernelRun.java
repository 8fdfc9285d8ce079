package dev.strata.bench;

import dev.strata.bench.KernelCase.Floor;
import dev.strata.bench.KernelCase.Group;
import dev.strata.kernel.Limits;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Checks the contenders of a group and measures them, taking turns.
final class KernelRun {
  private static final int SAMPLES = 12;
  private static final long WARM_NANOS = 300_000;

  private final Machine machine;
  private final int rounds;

  KernelRun(Machine machine, int rounds) {
    this.machine = machine;
    this.rounds = rounds;
  }

  List<KernelRow> measure(Group group) {
    try (Limits.Probe probe = machine.probe()) {
      return measure(group, probe);
    }
  }

  private List<KernelRow> measure(Group group, Limits.Probe probe) {
    Map<String, Contender> contenders = new LinkedHashMap<>();
    group.cases().forEach(one -> contenders.put(one.name(), one.contender()));
    contenders.putAll(group.peers());
    contenders.forEach((name, contender) -> check(group, name, contender));
    Map<String, double[]> nanos = new LinkedHashMap<>();
    contenders.keySet().forEach(name -> nanos.put(name, new double[rounds]));
    Map<String, Integer> calls = new LinkedHashMap<>();
    contenders.forEach((name, contender) -> calls.put(name, group.cold() ? 1 : calls(contender)));
    for (int round = -2; round < rounds; round++) {
      probe.sample();
      int copy = Math.floorMod(round, group.copies());
      for (Map.Entry<String, Contender> one : contenders.entrySet()) {
        if (!group.cold()) {
          one.getValue().run(0);
        }
        int count = calls.get(one.getKey());
        long start = Machine.nanos();
        for (int call = 0; call < count; call++) {
          one.getValue().run(copy);
        }
        long spent = Machine.nanos() - start;
        if (round >= 0) {
          nanos.get(one.getKey())[round] = (double) spent / count;
        }
      }
    }
    Map<String, Double> medians = new LinkedHashMap<>();
    nanos.forEach((name, values) -> medians.put(name, median(values)));
    List<KernelRow> rows = new ArrayList<>();
    Machine now = machine.with(probe.limits());
    group.cases().forEach(one -> rows.add(row(now, group, one, medians)));
    return rows;
  }

  private static int calls(Contender contender) {
    contender.run(0);
    long start = Machine.nanos();
    contender.run(0);
    return Math.clamp(WARM_NANOS / Math.max(1, Machine.nanos() - start), 1, 1000);
  }

  private static void check(Group group, String name, Contender contender) {
    contender.run(0);
    Random random = new Random(5);
    double largest = 1e-3;
    double worst = 0;
    for (int i = 0; i < SAMPLES; i++) {
      int row = random.nextInt(group.rows());
      int channel = random.nextInt(group.channels());
      double expected = contender.expected(row, channel);
      largest = Math.max(largest, Math.abs(expected));
      worst = Math.max(worst, Math.abs(contender.output(row, channel) - expected));
    }
    if (!(worst <= contender.tolerance() * largest)) {
      throw new IllegalStateException(
          "%s on %s: wrong by %.3g of values up to %.3g"
              .formatted(name, group.shape(), worst, largest));
    }
  }

  private static KernelRow row(
      Machine machine, Group group, KernelCase one, Map<String, Double> medians) {
    double nanos = medians.get(one.name());
    double bandwidth = machine.bandwidth(one.weightBytes(), group.cold());
    double least =
        Math.max(
            one.multiplyAdds() / one.limit().perNano(machine),
            (one.weightBytes() + one.otherBytes()) / bandwidth);
    Map<String, Double> peers = new LinkedHashMap<>();
    group.peers().keySet().forEach(name -> peers.put(name, medians.get(name) / 1e3));
    List<KernelRow.Verdict> verdicts =
        one.floors().stream()
            .map(
                floor -> {
                  double reached =
                      switch (floor.against()) {
                        case Floor.MEMORY -> one.weightBytes() / nanos / machine.limits().memory();
                        case Floor.PEAK -> one.multiplyAdds() / nanos / machine.limits().dots();
                        default -> medians.get(floor.against()) / nanos;
                      };
                  return new KernelRow.Verdict(floor.against(), floor.least(), reached);
                })
            .toList();
    return new KernelRow(
        group.shape(),
        one.name(),
        group.cold() ? "cold" : "warm",
        nanos / 1e3,
        one.multiplyAdds() / nanos,
        one.weightBytes() / nanos,
        (double) one.multiplyAdds() / (one.weightBytes() + one.otherBytes()),
        least / nanos,
        peers,
        verdicts);
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
