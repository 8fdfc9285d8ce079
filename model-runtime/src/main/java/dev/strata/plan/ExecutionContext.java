package dev.strata.plan;

import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSpec;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/// Runs a plan with scratch memory of its own; used by one thread at a time. A plan is bound to the
/// shapes of its inputs once and remembered for as long as others are not used more. All bindings
/// share one block of memory, and so may all contexts of a thread.
public final class ExecutionContext implements AutoCloseable {
  private final ExecutablePlan plan;
  private final MemoryPlan.Reuse reuse;
  private Binder.Fusion fusion;

  private final Team team;
  private final ScratchBlock block;
  private final boolean owns;

  private Optional<ActivationObserver> observer = Optional.empty();
  private long peakActivationBytes;
  private boolean closed;

  /// A context with a block of its own, for one thread.
  ExecutionContext(ExecutablePlan plan, MemoryPlan.Reuse reuse, Binder.Fusion fusion) {
    this(plan, reuse, fusion, new Team(1), new ScratchBlock(), true);
  }

  /// A context that borrows a team and a block, which outlive it.
  ExecutionContext(
      ExecutablePlan plan,
      MemoryPlan.Reuse reuse,
      Binder.Fusion fusion,
      Team team,
      ScratchBlock block) {
    this(plan, reuse, fusion, team, block, false);
  }

  private ExecutionContext(
      ExecutablePlan plan,
      MemoryPlan.Reuse reuse,
      Binder.Fusion fusion,
      Team team,
      ScratchBlock block,
      boolean owns) {
    this.plan = plan;
    this.reuse = reuse;
    this.fusion = fusion;
    this.team = team;
    this.block = block;
    this.owns = owns;
  }

  /// From now on, shows the input of each weighted layer to the observer. Steps are not fused then,
  /// so that every input is there to be seen.
  public void observe(ActivationObserver seer) {
    observer = Optional.of(seer);
    fusion = Binder.Fusion.NONE;
    block.bindings().forget(this);
  }

  /// Runs the graph.
  ///
  /// @param inputs by name; exactly the graph's inputs
  /// @return the graph's outputs by name, in its order, on the heap
  /// @throws IllegalArgumentException if an input is missing or does not fit
  public Map<String, Tensor> run(Map<String, Tensor> inputs) {
    return run(inputs, () -> false);
  }

  /// Runs the graph as long as somebody wants it.
  ///
  /// @param stop asked before each step; once true, nothing more is computed
  /// @throws ExecutionStoppedException if it was true
  public Map<String, Tensor> run(Map<String, Tensor> inputs, BooleanSupplier stop) {
    BoundPlan bound = filled(inputs);
    observer.ifPresentOrElse(seer -> run(bound, seer), () -> bound.run(stop));
    Map<String, Tensor> outputs = new LinkedHashMap<>();
    for (int i = 0; i < bound.outputs().size(); i++) {
      outputs.put(plan.graph().outputs().get(i), bound.outputs().get(i).copy());
    }
    return outputs;
  }

  /// Runs the graph and measures each step; the outputs are dropped.
  ///
  /// @param inputs as for [#run]
  /// @param clock nanoseconds, read once between two steps
  public PlanProfile profile(Map<String, Tensor> inputs, LongSupplier clock) {
    BoundPlan bound = filled(inputs);
    List<Long> nanos = new ArrayList<>(bound.steps().size());
    long last = clock.getAsLong();
    for (BoundStep step : bound.steps()) {
      step.call().run();
      long now = clock.getAsLong();
      nanos.add(now - last);
      last = now;
    }
    return new PlanProfile(bound.description(), nanos);
  }

  /// What runs at these input shapes.
  ///
  /// @param shapes of the graph's inputs, in their order
  public PlanDescription describe(List<Shape> shapes) {
    return bound(shapes).description();
  }

  /// The bound plan of these inputs, which are copied to its memory.
  private BoundPlan filled(Map<String, Tensor> inputs) {
    if (closed) {
      throw new IllegalStateException("execution context is closed");
    }
    List<Tensor> ordered = ordered(inputs);
    BoundPlan bound = bound(ordered.stream().map(Tensor::shape).toList());
    for (int i = 0; i < ordered.size(); i++) {
      ordered.get(i).copyTo(bound.inputs().get(i).data());
    }
    return bound;
  }

  /// @return bytes of the largest block of activations and scratch that a run has needed
  public long peakActivationBytes() {
    return peakActivationBytes;
  }

  private List<Tensor> ordered(Map<String, Tensor> inputs) {
    List<Tensor> ordered = new ArrayList<>();
    for (TensorSpec spec : plan.graph().inputs()) {
      Tensor tensor = inputs.get(spec.name());
      if (tensor == null) {
        throw new IllegalArgumentException(
            "graph inputs: got %s, expected '%s' too".formatted(inputs.keySet(), spec.name()));
      }
      if (tensor.type() != spec.type() || !spec.shape().accepts(tensor.shape())) {
        throw new IllegalArgumentException(
            "graph input '%s': got %s %s, expected %s %s"
                .formatted(spec.name(), tensor.type(), tensor.shape(), spec.type(), spec.shape()));
      }
      ordered.add(tensor);
    }
    if (inputs.size() != ordered.size()) {
      throw new IllegalArgumentException(
          "graph inputs: got %s, expected %s"
              .formatted(
                  inputs.keySet(), plan.graph().inputs().stream().map(TensorSpec::name).toList()));
    }
    return ordered;
  }

  private static void run(BoundPlan bound, ActivationObserver seer) {
    for (BoundStep step : bound.steps()) {
      step.observed().ifPresent(seen -> seer.observe(seen.layer(), seen.floats(), seen.shape()));
      step.call().run();
    }
  }

  BoundPlan bound(List<Shape> shapes) {
    return block.bindings().of(this, shapes, arena -> bind(shapes, arena));
  }

  private BoundPlan bind(List<Shape> shapes, Arena arena) {
    BoundPlan bound = Binder.bind(plan, shapes, arena, reuse, fusion, team, block::atLeast);
    peakActivationBytes = Math.max(peakActivationBytes, bound.activationBytes());
    return bound;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      block.bindings().forget(this);
      if (owns) {
        block.close();
        team.close();
      }
    }
  }
}
