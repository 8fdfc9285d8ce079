package dev.strata.gateway.call;

import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.util.Map;

/// One loaded version of a model as the line of a request sees it: what it can do, and a session
/// for each thread that computes. Two objects are never equal, so a reloaded version is another
/// model.
public interface ServedModel {

  ModelCard card();

  /// A worker's own use of the model. Call it on the worker's thread while the model is leased.
  Session newSession();

  /// Whether the model has been replaced or removed: workers then close their sessions of it.
  boolean retired();

  /// For one thread.
  interface Session extends AutoCloseable {

    /// Runs the model at exactly this precision.
    ///
    /// @return outputs by name, in heap memory that the caller owns
    /// @throws InferenceException if the inputs do not fit
    Map<String, Tensor> run(Bits bits, Map<String, Tensor> inputs);

    @Override
    void close();
  }
}
