package dev.strata.plan;

import static dev.strata.graph.DataType.FP32;

import dev.strata.graph.Activation;
import dev.strata.graph.Layer;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.precision.ActivationQuantizer;
import dev.strata.precision.PlaneLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// Wall time of one large step by one thread and by more, taking turns. Each case is a whole plan:
/// the activations' quantization, which is not shared, is in it.
///
/// Run by `./strata bench threads [THREADS]`. Its first column of times is of one thread, its ratio
/// that of medians.
public final class ThreadScaling {

  private static final int ROUNDS = 60;

  private record Case(String name, TestGraph graph, Shape input) {}

  private ThreadScaling() {}

  public static void main(String[] arguments) {
    int threads = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 2;
    List<Case> cases = new ArrayList<>();
    for (int bits : new int[] {8, 4, 1}) {
      for (int rows : new int[] {1, 8}) {
        cases.add(linear(bits, rows, 4096));
      }
      cases.add(linear(bits, 256, 1024));
      cases.add(linear(bits, 256, 4096));
      cases.add(conv(bits));
    }
    System.out.printf(
        "%-34s %10s %12s %8s%n", "case", "1 thread", threads + " threads", "speed-up");
    for (Case one : cases) {
      measure(one, threads);
      one.graph().close();
    }
  }

  private static Case linear(int bits, int rows, int width) {
    PlaneLayout layout = PlaneLayout.perChannel(width, width, 1);
    TestGraph graph =
        new TestGraph(1)
            .input("x", FP32, -1, width)
            .planeLayer("w", Layer.Kind.LINEAR, layout, bits, new ActivationQuantizer.PerGroup())
            .node(new Op.Linear("w", Activation.RELU), List.of("x"), "y");
    String name = "w%da8 %d x %d x %d".formatted(bits, rows, width, width);
    return new Case(name, graph, Shape.of(rows, width));
  }

  private static Case conv(int bits) {
    Op.Window same = new Op.Window(3, 3, 1, 1, 1, 1, 1, 1, 1, 1);
    PlaneLayout layout = PlaneLayout.perChannel(128, 9 * 128, 1);
    TestGraph graph =
        new TestGraph(1)
            .input("x", FP32, -1, -1, -1, 128)
            .planeLayer("w", Layer.Kind.CONV, layout, bits, new ActivationQuantizer.PerSample())
            .node(new Op.Conv("w", same, 1, Activation.RELU), List.of("x"), "y");
    return new Case(
        "w%da8 conv 3x3 128 to 128 at 28".formatted(bits), graph, Shape.of(1, 28, 28, 128));
  }

  private static void measure(Case one, int threads) {
    ExecutablePlan plan = one.graph().plan("y");
    Tensor x = one.graph().tensor(one.input().toArray());
    try (Team team = new Team(threads);
        ScratchBlock block = new ScratchBlock();
        ExecutionContext alone = plan.newContext();
        ExecutionContext together = plan.newContext(team, block)) {
      List<BoundPlan> plans = new ArrayList<>();
      for (ExecutionContext context : List.of(alone, together)) {
        BoundPlan bound = context.bound(List.of(one.input()));
        plans.add(bound);
      }
      double[][] micros = new double[2][ROUNDS];
      for (int round = -ROUNDS / 3; round < ROUNDS; round++) {
        for (int i = 0; i < 2; i++) {
          // What was the input is scratch after a run.
          plans.get(i).inputs().getFirst().data().copyFrom(x.data());
          long start = System.nanoTime();
          plans.get(i).run(() -> false);
          double spent = (System.nanoTime() - start) / 1e3;
          if (round >= 0) {
            micros[i][round] = spent;
          }
        }
      }
      double single = median(micros[0]);
      double shared = median(micros[1]);
      System.out.printf(
          Locale.ROOT,
          "%-34s %8.0f us %9.0f us %8.2f%n",
          one.name(),
          single,
          shared,
          single / shared);
    }
  }

  private static double median(double[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }
}
