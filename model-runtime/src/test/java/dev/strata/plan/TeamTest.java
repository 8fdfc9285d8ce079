package dev.strata.plan;

import static dev.strata.graph.DataType.FP32;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.strata.graph.Activation;
import dev.strata.graph.Layer;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.precision.ActivationQuantizer;
import dev.strata.precision.PlaneLayout;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TeamTest {

  @ParameterizedTest
  @CsvSource({"1, 3", "2, 2", "2, 7", "3, 64", "5, 1"})
  void everyPartIsDoneOnceInEachRun(int threads, int parts) {
    AtomicIntegerArray done = new AtomicIntegerArray(parts);
    try (Team team = new Team(threads)) {
      SharedStep step =
          new SharedStep(
              team,
              IntStream.range(0, parts)
                  .<Runnable>mapToObj(part -> () -> done.getAndIncrement(part))
                  .toList());
      for (int run = 1; run <= 5000; run++) {
        step.run();
        for (int part = 0; part < parts; part++) {
          assertEquals(run, done.get(part), "part " + part);
        }
      }
    }
  }

  @Test
  void helpersThatSleepAreCalledAndEndWithTheirTeam() throws Exception {
    Team team = new Team(2);
    List<Thread> workers = new ArrayList<>();
    Runnable slow =
        () -> {
          long end = System.nanoTime() + 20_000_000;
          while (System.nanoTime() < end) {
            Thread.onSpinWait();
          }
          synchronized (workers) {
            workers.add(Thread.currentThread());
          }
        };
    SharedStep step = new SharedStep(team, List.of(slow, slow));
    for (int run = 0; run < 5; run++) {
      Thread.sleep(20);
      step.run();
    }
    List<Thread> helpers =
        workers.stream().filter(thread -> thread != Thread.currentThread()).distinct().toList();
    assertEquals(1, helpers.size(), workers::toString);
    team.close();
    assertTrue(!helpers.getFirst().isAlive());
  }

  @Test
  void aFailedPartFailsTheStepAndNotTheTeam() {
    try (Team team = new Team(2)) {
      Runnable fails =
          () -> {
            throw new IllegalArgumentException("part 1");
          };
      SharedStep step = new SharedStep(team, List.of(() -> {}, fails, () -> {}));
      for (int run = 0; run < 3; run++) {
        assertThrows(IllegalStateException.class, step::run);
      }
      new SharedStep(team, List.of(() -> {}, () -> {})).run();
    }
  }

  @Test
  void aTeamHasAtLeastOneThread() {
    assertThrows(IllegalArgumentException.class, () -> new Team(0));
    assertThrows(IllegalArgumentException.class, () -> new Team(Team.MOST_THREADS + 1));
  }

  @Test
  void teamsGiveTheSameBitsAlsoSideBySide() throws Exception {
    for (int planes : List.of(1, 3, 8)) {
      try (TestGraph text = TestNetworks.text(planes);
          TestGraph image = TestNetworks.image(planes);
          TestGraph wide = wide(planes)) {
        requireSame(text.plan("y"), List.of(Map.of("ids", ids(text))));
        requireSame(
            image.plan("y"),
            List.of(
                Map.of("x", image.tensor(1, 150, 140, 3)),
                Map.of("x", image.tensor(9, 40, 50, 3))));
        requireSame(
            wide.plan("y"),
            List.of(Map.of("x", wide.tensor(5, 250)), Map.of("x", wide.tensor(131, 250))));
      }
    }
  }

  /// Products that are cut by weight rows: with codes for the next one, and with few bits.
  private static TestGraph wide(int planes) {
    ActivationQuantizer groups = new ActivationQuantizer.PerGroup();
    ActivationQuantizer narrow = new ActivationQuantizer.PerTensor(1, 0.5f, 0);
    return new TestGraph(73)
        .input("x", FP32, -1, 250)
        .planeLayer("a", Layer.Kind.LINEAR, new PlaneLayout(600, 250, 64, 1), planes, groups)
        .planeLayer("b", Layer.Kind.LINEAR, new PlaneLayout(411, 600, 64, 1), planes, groups)
        .planeLayer("y", Layer.Kind.LINEAR, new PlaneLayout(317, 411, 32, 1), planes, narrow)
        .node(new Op.Linear("a", Activation.of(Activation.Kind.GELU)), List.of("x"), "a")
        .node(new Op.Linear("b", Activation.RELU), List.of("a"), "b")
        .node(new Op.Linear("y", Activation.IDENTITY), List.of("b"), "y");
  }

  private static void requireSame(ExecutablePlan plan, List<Map<String, Tensor>> inputs)
      throws Exception {
    List<byte[]> expected = new ArrayList<>();
    try (ExecutionContext alone = plan.newContext()) {
      for (Map<String, Tensor> input : inputs) {
        expected.add(bytes(alone.run(input)));
      }
    }
    try (ExecutorService callers = Executors.newFixedThreadPool(3)) {
      List<Future<?>> runs = new ArrayList<>();
      for (int threads : new int[] {2, 3, 4}) {
        runs.add(callers.submit(() -> requireSame(plan, inputs, expected, threads)));
      }
      for (Future<?> run : runs) {
        run.get();
      }
    }
  }

  private static void requireSame(
      ExecutablePlan plan, List<Map<String, Tensor>> inputs, List<byte[]> expected, int threads) {
    try (Team team = new Team(threads, 1);
        ScratchBlock block = new ScratchBlock();
        ExecutionContext context = plan.newContext(team, block)) {
      for (int run = 0; run < 5; run++) {
        for (int i = 0; i < inputs.size(); i++) {
          assertArrayEquals(expected.get(i), bytes(context.run(inputs.get(i))));
        }
      }
      for (Map<String, Tensor> input : inputs) {
        List<BoundStep> steps = context.bound(shapes(plan, input)).steps();
        assertTrue(steps.stream().anyMatch(step -> step.call() instanceof SharedStep));
      }
    }
  }

  private static Tensor ids(TestGraph graph) {
    return Tensor.of(Shape.of(8, 100), graph.random.longs(800, 0, 60).toArray());
  }

  private static List<Shape> shapes(ExecutablePlan plan, Map<String, Tensor> inputs) {
    return plan.graph().inputs().stream().map(spec -> inputs.get(spec.name()).shape()).toList();
  }

  private static byte[] bytes(Map<String, Tensor> outputs) {
    return outputs.get("y").data().toArray(JAVA_BYTE);
  }

  @Test
  void stepsAllocateNothing() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (TestGraph text = TestNetworks.text(4);
        Team team = new Team(2, 1);
        ScratchBlock block = new ScratchBlock();
        ExecutionContext context = text.plan("y").newContext(team, block)) {
      BoundPlan bound = context.bound(List.of(Shape.of(8, 100)));
      Tensor ids = ids(text);
      List<BoundStep> steps = bound.steps();
      long[] least = new long[steps.size()];
      Arrays.fill(least, Long.MAX_VALUE);
      for (int run = 0; run < 400; run++) {
        bound.inputs().getFirst().data().copyFrom(ids.data());
        for (int i = 0; i < least.length; i++) {
          Runnable call = steps.get(i).call();
          long before = threads.getCurrentThreadAllocatedBytes();
          call.run();
          least[i] = Math.min(least[i], threads.getCurrentThreadAllocatedBytes() - before);
        }
      }
      for (int i = 0; i < least.length; i++) {
        assertEquals(0, least[i], "bytes in each run of " + steps.get(i).what());
      }
    }
  }
}
