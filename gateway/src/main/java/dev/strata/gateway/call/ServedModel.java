package dev.strata.gateway.call;

import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.BooleanSupplier;

/// One loaded version of a model as the line of a request sees it: what it can do, and a session
/// for each thread that computes. Two objects are never equal, so a reloaded version is another
/// model.
public interface ServedModel {

  ModelCard card();

  ModelPolicy policy();

  /// A worker's own use of the model. Call it on the worker's thread while the model is leased.
  Session newSession();

  /// Whether the model has been replaced or removed: workers then close their sessions of it.
  boolean retired();

  /// How one of several requests that were computed together ended.
  sealed interface Outcome {

    /// @param outputs by name, in heap memory that the caller owns
    /// @param margin of a classifier with a cascade: how far its best class leads, over the rows
    ///     the least
    record Answered(Map<String, Tensor> outputs, OptionalDouble margin) implements Outcome {}

    /// This request alone is refused: its inputs do not fit.
    record Refused(InferenceException reason) implements Outcome {}

    /// Nobody wanted the answers any more.
    record Abandoned() implements Outcome {}
  }

  /// For one thread.
  interface Session extends AutoCloseable {

    /// Runs the model at exactly this precision for several requests at once. Each gets what it
    /// would get alone, to the last bit.
    ///
    /// @param requests the inputs of each, by name
    /// @param abandoned asked between two steps; once true, the run ends for all of them
    /// @return one outcome per request, in their order
    List<Outcome> run(Bits bits, List<Map<String, Tensor>> requests, BooleanSupplier abandoned);

    @Override
    void close();
  }
}
