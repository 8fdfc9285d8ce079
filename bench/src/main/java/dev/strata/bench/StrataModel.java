package dev.strata.bench;

import dev.strata.artifact.ModelArtifact;
import dev.strata.graph.Tensor;
import dev.strata.model.LayeredModel;
import dev.strata.plan.ExecutionContext;
import dev.strata.plan.PlanProfile;
import dev.strata.plan.Planner;
import dev.strata.plan.ScratchBlock;
import dev.strata.plan.Team;
import dev.strata.precision.Bits;
import java.lang.foreign.Arena;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/// The artifact's network at one width, and the whole model around it.
final class StrataModel implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final Team team;
  private final ScratchBlock block = new ScratchBlock();
  private final ExecutionContext network;
  private final LayeredModel.Session session;
  private final Bits bits;

  /// @param artifact and `model` of the same file, borrowed
  StrataModel(ModelArtifact artifact, LayeredModel model, Bits bits, int threads) {
    this.bits = bits;
    team = new Team(threads);
    try {
      network =
          Planner.plan(
                  artifact.description().graph(),
                  Optional.of(artifact.description().profile(bits)),
                  artifact,
                  arena)
              .newContext(team, block);
      session = model.newSession(threads);
    } catch (Throwable failure) {
      team.close();
      arena.close();
      throw failure;
    }
  }

  /// Runs the network, from graph inputs to graph outputs on the heap.
  Map<String, Tensor> run(Map<String, Tensor> graphInputs) {
    return network.run(graphInputs);
  }

  /// Answers a client: what comes before and after the network is in it.
  void answer(Map<String, Tensor> client) {
    session.predict(bits, client);
  }

  PlanProfile profile(Map<String, Tensor> graphInputs, LongSupplier clock) {
    return network.profile(graphInputs, clock);
  }

  @Override
  public void close() {
    session.close();
    network.close();
    block.close();
    team.close();
    arena.close();
  }
}
