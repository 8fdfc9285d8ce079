package dev.strata.bench;

import ai.onnxruntime.OrtException;
import dev.strata.bench.ModelInputs.Request;
import dev.strata.kernel.Limits;
import dev.strata.plan.PlanProfile;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/// Measures one request with all contenders, who take turns; the processor's limits have a turn
/// too.
final class ModelRun {
  private static final int WARM_UP = 3;
  private static final long PROFILE_NANOS = 5_000_000;

  private final Machine machine;
  private final LongSupplier clock;
  private final int rounds;
  private final long clockNanos;

  /// @param clock nanoseconds
  ModelRun(Machine machine, LongSupplier clock, int rounds) {
    this.machine = machine;
    this.clock = clock;
    this.rounds = rounds;
    this.clockNanos = clockNanos();
  }

  /// What reading the clock costs, which a short step would be charged with.
  private static long clockNanos() {
    long[] costs = new long[1001];
    for (int i = 0; i < costs.length; i++) {
      long start = System.nanoTime();
      costs[i] = System.nanoTime() - start;
    }
    Arrays.sort(costs);
    return costs[costs.length / 2];
  }

  /// One of our widths with some threads.
  record Width(int bits, int threads, StrataModel model) {
    String name() {
      return bits + " bits" + (threads == 1 ? "" : ", %d threads".formatted(threads));
    }
  }

  record Result(List<ModelRow> rows, List<StepRow> steps, Limits limits) {}

  /// @param peers by name; the outputs of the first are what the others' are compared with
  Result measure(Request request, List<Width> widths, Map<String, OrtModel> peers)
      throws OrtException {
    Map<String, OrtModel.Call> calls = new LinkedHashMap<>();
    try (Limits.Probe probe = machine.probe()) {
      for (Map.Entry<String, OrtModel> peer : peers.entrySet()) {
        calls.put(peer.getKey(), peer.getValue().call(request.graph()));
      }
      return measure(request, widths, calls, probe);
    } finally {
      calls.values().forEach(OrtModel.Call::close);
    }
  }

  private Result measure(
      Request request, List<Width> widths, Map<String, OrtModel.Call> peers, Limits.Probe probe)
      throws OrtException {
    Map<String, Series> networks = new LinkedHashMap<>();
    Map<String, Series> answers = new LinkedHashMap<>();
    Map<Width, List<PlanProfile>> profiles = new LinkedHashMap<>();
    for (Width width : widths) {
      networks.put(width.name(), new Series(() -> width.model().run(request.graph())));
      answers.put(width.name(), new Series(() -> width.model().answer(request.client())));
      if (width.threads() == 1) {
        profiles.put(width, new ArrayList<>());
      }
    }
    peers.forEach((name, call) -> networks.put(name, new Series(call::run)));
    for (int round = -WARM_UP; round < rounds; round++) {
      probe.sample();
      for (Series one : networks.values()) {
        one.turn(clock, round >= 0);
      }
      for (Map.Entry<Width, List<PlanProfile>> one : profiles.entrySet()) {
        List<PlanProfile> turn = profiles(one.getKey().model(), request);
        if (round >= 0) {
          one.getValue().addAll(turn);
        }
      }
      for (Series one : answers.values()) {
        one.turn(clock, round >= 0);
      }
    }
    Machine now = machine.with(probe.limits());
    List<StepRow> steps = new ArrayList<>();
    profiles.forEach(
        (width, all) ->
            steps.addAll(
                StepRow.of(request.name(), width.bits(), now, all.getFirst(), medianMicros(all))));
    List<ModelRow> rows = new ArrayList<>();
    Map<String, float[]> wanted =
        peers.isEmpty() ? Map.of() : peers.values().iterator().next().outputs();
    for (Width width : widths) {
      Map<String, float[]> outputs = new LinkedHashMap<>();
      width.model().run(request.graph()).forEach((name, y) -> outputs.put(name, y.toFloats()));
      rows.add(
          row(
              request.name(),
              width.name(),
              networks.get(width.name()),
              width.bits(),
              width.threads(),
              answers.get(width.name()).quantile(0.5),
              error(wanted, outputs),
              width.model().profile(request.graph(), System::nanoTime).plan().activationBytes(),
              times(networks, peers, width.name())));
    }
    for (Map.Entry<String, OrtModel.Call> peer : peers.entrySet()) {
      rows.add(
          row(
              request.name(),
              peer.getKey(),
              networks.get(peer.getKey()),
              0,
              1,
              0,
              error(wanted, peer.getValue().outputs()),
              0,
              times(networks, peers, peer.getKey())));
    }
    return new Result(rows, steps, now.limits());
  }

  /// Profiles by the clock on the wall: reading processor time takes as long as a short step. There
  /// are many, so that their medians know nothing of others on the machine.
  private static List<PlanProfile> profiles(StrataModel model, Request request) {
    model.run(request.graph());
    List<PlanProfile> turn = new ArrayList<>();
    long end = System.nanoTime() + PROFILE_NANOS;
    do {
      turn.add(model.profile(request.graph(), System::nanoTime));
    } while (System.nanoTime() < end);
    return turn;
  }

  private double[] medianMicros(List<PlanProfile> profiles) {
    double[] medians = new double[profiles.getFirst().nanos().size()];
    for (int step = 0; step < medians.length; step++) {
      int at = step;
      double[] nanos = profiles.stream().mapToDouble(one -> one.nanos().get(at)).toArray();
      medians[step] = Math.max(1, KernelRun.median(nanos) - clockNanos) / 1e3;
    }
    return medians;
  }

  private static ModelRow row(
      String input,
      String name,
      Series series,
      int bits,
      int threads,
      double answerMillis,
      double error,
      long activationBytes,
      Map<String, Double> times) {
    return new ModelRow(
        input,
        name,
        bits,
        threads,
        series.quantile(0.5),
        series.quantile(0.1),
        series.quantile(0.9),
        answerMillis,
        error,
        activationBytes,
        times);
  }

  private static Map<String, Double> times(
      Map<String, Series> series, Map<String, OrtModel.Call> peers, String name) {
    Map<String, Double> times = new LinkedHashMap<>();
    double own = series.get(name).quantile(0.5);
    for (String peer : peers.keySet()) {
      times.put(peer, series.get(peer).quantile(0.5) / own);
    }
    return times;
  }

  /// The root of the squared differences, of the squared values that were wanted.
  static double error(Map<String, float[]> wanted, Map<String, float[]> got) {
    double difference = 0;
    double length = 0;
    for (Map.Entry<String, float[]> one : wanted.entrySet()) {
      float[] values = got.get(one.getKey());
      if (values == null || values.length != one.getValue().length) {
        throw new IllegalStateException(
            "output '%s': the contenders' shapes differ".formatted(one.getKey()));
      }
      for (int i = 0; i < values.length; i++) {
        difference += Math.pow(values[i] - one.getValue()[i], 2);
        length += Math.pow(one.getValue()[i], 2);
      }
    }
    return length == 0 ? 0 : Math.sqrt(difference / length);
  }
}
