package dev.strata.model;

import dev.strata.artifact.ModelArtifact;
import dev.strata.graph.ConfidenceCascade;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Tensor;
import dev.strata.plan.ExecutablePlan;
import dev.strata.plan.ExecutionContext;
import dev.strata.plan.ExecutionStoppedException;
import dev.strata.plan.PlanProfile;
import dev.strata.plan.Planner;
import dev.strata.plan.ScratchBlock;
import dev.strata.plan.Team;
import dev.strata.precision.Bits;
import dev.strata.processing.MergedBatch;
import dev.strata.processing.ModelProcessing;
import dev.strata.processing.PreparedBatch;
import dev.strata.processing.RejectedInputException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/// A model that is open for inference at every precision its file holds: the public face of the
/// runtime. Safe for use by many threads; each thread brings its own [Session].
///
/// `predict` = `prepare` (client inputs to batches of graph inputs) + plan + `finish`. A precision
/// is planned when it is first asked for; call `predict` once to warm it up.
public final class LayeredModel implements AutoCloseable {

  private final ModelArtifact artifact;
  private final ModelProcessing processing;
  private final Arena arena;
  private final Map<Bits, ExecutablePlan> plans = new ConcurrentHashMap<>();
  private int sessions;
  private volatile boolean closed;

  private LayeredModel(ModelArtifact artifact, ModelProcessing processing) {
    this.artifact = artifact;
    this.processing = processing;
    this.arena = Arena.ofShared();
  }

  /// Maps and verifies the artifact. Nothing is copied.
  ///
  /// @throws dev.strata.artifact.CorruptArtifactException if the file is damaged
  public static LayeredModel open(Path file) throws IOException {
    return of(ModelArtifact.open(file));
  }

  /// Takes over an open artifact that has at least one width. Widths that it admits later can be
  /// asked for from then on. The artifact is closed with the model, or at once if this fails.
  public static LayeredModel of(ModelArtifact artifact) {
    try {
      return new LayeredModel(artifact, ModelProcessing.of(artifact.description(), artifact));
    } catch (Throwable failure) {
      artifact.close();
      throw failure;
    }
  }

  public ModelDescription description() {
    return artifact.description();
  }

  /// How the model answers with two widths, if that was measured and it has them both.
  public Optional<ConfidenceCascade> cascade() {
    return artifact.cascade();
  }

  /// Widths that can be asked for, ascending.
  public List<Bits> precisions() {
    return artifact.precisions();
  }

  /// Bytes of the file a request of this precision depends on (the prefix's length).
  public long prefixBytes(Bits bits) {
    return artifact.prefixBytes(bits);
  }

  /// Bytes of weight planes that a request of this precision reads.
  public long planeBytes(Bits bits) {
    return artifact.planeBytes(bits);
  }

  /// Lets go of the memory of the planes that only this and wider precisions read. They stay
  /// usable: the next access brings them back from the file.
  public void evict(Bits bits) {
    artifact.evict(bits.count());
  }

  /// Brings the planes that this precision adds to the one below it into memory.
  public void fetch(Bits bits) {
    artifact.fetch(bits.count());
  }

  /// Plans a precision now, which else its first request pays for.
  public void planAhead(Bits bits) {
    description().profile(bits);
    plan(bits);
  }

  /// Turns a client's inputs into what the network takes. For any thread.
  ///
  /// @param inputs by name, as in the description
  /// @throws InvalidInputException naming the input and what was expected
  public PreparedInput prepare(Map<String, Tensor> inputs) {
    try {
      return new PreparedInput(processing.prepare(inputs));
    } catch (RejectedInputException rejected) {
      throw new InvalidInputException(rejected.getMessage());
    }
  }

  /// Scratch memory and prepared plans of one worker thread; close it after use, before the model.
  ///
  /// @throws IllegalStateException if the model is closed
  public Session newSession() {
    return newSession(1);
  }

  /// The same for a worker with helpers, who do parts of large steps. Answers are the same bits.
  ///
  /// @param threads the worker and its helpers, 1 to [Team#MOST_THREADS]
  /// @throws IllegalArgumentException if it is another number
  /// @throws IllegalStateException if the model is closed
  public synchronized Session newSession(int threads) {
    requireOpen();
    Session session = new Session(this, threads);
    sessions++;
    return session;
  }

  /// Ends the mapping. Idempotent.
  ///
  /// @throws IllegalStateException if a session is still open; the model then stays usable
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    if (sessions > 0) {
      throw new IllegalStateException(
          "model '%s': %d sessions are still open".formatted(description().name(), sessions));
    }
    closed = true;
    arena.close();
    processing.close();
    artifact.close();
  }

  /// Not under the model's lock: making one plan does not hold up who uses another.
  private ExecutablePlan plan(Bits bits) {
    requireOpen();
    return plans.computeIfAbsent(
        bits,
        wanted ->
            Planner.plan(
                description().graph(),
                Optional.of(description().profile(wanted)),
                artifact,
                arena));
  }

  private synchronized void sessionClosed() {
    sessions--;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("model '%s' is closed".formatted(description().name()));
    }
  }

  /// One worker's use of the model; not for concurrent use.
  public static final class Session implements AutoCloseable {
    private final LayeredModel model;
    private final Map<Bits, ExecutionContext> contexts = new HashMap<>();

    /// One for all widths, which run one after another.
    private final ScratchBlock block = new ScratchBlock();

    private final Team team;
    private final AtomicBoolean busy = new AtomicBoolean();
    private boolean closed;

    private Session(LayeredModel model, int threads) {
      this.model = model;
      this.team = new Team(threads);
    }

    /// Runs the model at exactly this precision. The outputs' data is heap memory owned by the
    /// caller.
    ///
    /// @param inputs client inputs by name, as in the description
    /// @throws InvalidInputException naming the input and what was expected
    /// @throws IllegalArgumentException if the model does not have this precision
    public Prediction predict(Bits bits, Map<String, Tensor> inputs) {
      return predict(bits, List.of(model.prepare(inputs)), false, () -> false).getFirst();
    }

    /// Answers several requests by as few runs of the network as their shapes allow. Each gets what
    /// it would get alone, to the last bit.
    ///
    /// @param requests as [LayeredModel#prepare] made them
    /// @param pad whether texts may be padded to the longest among them
    /// @param stop asked between two steps; once true, all of the requests are given up
    /// @return one answer per request, in their order
    /// @throws ExecutionStoppedException if they were given up
    /// @throws InvalidInputException if a request's rows cannot be put into one output
    public List<Prediction> predict(
        Bits bits, List<PreparedInput> requests, boolean pad, BooleanSupplier stop) {
      model.description().profile(bits);
      enter();
      try {
        ExecutionContext context = context(bits);
        BatchResults results = new BatchResults(requests);
        for (MergedBatch merged :
            model.processing.merge(requests.stream().map(PreparedInput::batches).toList(), pad)) {
          Map<String, Tensor> outputs = context.run(merged.graphInputs(), stop);
          if (merged.separates(outputs)) {
            results.put(merged.parts(), merged.split(outputs));
          } else {
            for (MergedBatch.Part part : merged.parts()) {
              results.put(List.of(part), List.of(context.run(part.prepared().graphInputs(), stop)));
            }
          }
        }
        return results.finish(model.processing).stream()
            .map(outputs -> new Prediction(bits, outputs))
            .toList();
      } catch (RejectedInputException rejected) {
        throw new InvalidInputException(rejected.getMessage());
      } finally {
        busy.set(false);
      }
    }

    /// Runs the model like [#predict] and measures each step of its plan.
    ///
    /// @param clock nanoseconds
    /// @return one profile for each batch of graph inputs that the client inputs became
    public List<PlanProfile> profile(Bits bits, Map<String, Tensor> inputs, LongSupplier clock) {
      model.description().profile(bits);
      enter();
      try {
        ExecutionContext context = context(bits);
        return model.processing.prepare(inputs).stream()
            .map(batch -> context.profile(batch.graphInputs(), clock))
            .toList();
      } catch (RejectedInputException rejected) {
        throw new InvalidInputException(rejected.getMessage());
      } finally {
        busy.set(false);
      }
    }

    /// Runs the model like [#predict] and measures its three stages.
    ///
    /// @param clock nanoseconds
    public StageNanos time(Bits bits, Map<String, Tensor> inputs, LongSupplier clock) {
      model.description().profile(bits);
      enter();
      try {
        long start = clock.getAsLong();
        List<PreparedBatch> batches = model.processing.prepare(inputs);
        long prepared = clock.getAsLong();
        List<Map<String, Tensor>> outputs = run(bits, batches);
        long ran = clock.getAsLong();
        model.processing.finish(batches, outputs);
        return new StageNanos(prepared - start, ran - prepared, clock.getAsLong() - ran);
      } catch (RejectedInputException rejected) {
        throw new InvalidInputException(rejected.getMessage());
      } finally {
        busy.set(false);
      }
    }

    /// Bytes of activations and scratch that a run of this precision has needed at most; 0 before
    /// the first. Runs share one block of the largest such size.
    public long peakActivationBytes(Bits bits) {
      ExecutionContext context = contexts.get(bits);
      return context == null ? 0 : context.peakActivationBytes();
    }

    private List<Map<String, Tensor>> run(Bits bits, List<PreparedBatch> batches) {
      ExecutionContext context = context(bits);
      List<Map<String, Tensor>> outputs = new ArrayList<>(batches.size());
      for (PreparedBatch batch : batches) {
        outputs.add(context.run(batch.graphInputs()));
      }
      return outputs;
    }

    private ExecutionContext context(Bits bits) {
      return contexts.computeIfAbsent(bits, wanted -> model.plan(wanted).newContext(team, block));
    }

    @Override
    public void close() {
      if (closed) {
        return;
      }
      enter();
      try {
        closed = true;
        contexts.values().forEach(ExecutionContext::close);
        block.close();
        team.close();
      } finally {
        busy.set(false);
        model.sessionClosed();
      }
    }

    private void enter() {
      if (!busy.compareAndSet(false, true)) {
        throw new IllegalStateException(
            "model '%s': a session is used by two threads".formatted(model.description().name()));
      }
      if (closed) {
        busy.set(false);
        throw new IllegalStateException(
            "model '%s': the session is closed".formatted(model.description().name()));
      }
    }
  }
}
