package dev.strata.model;

import dev.strata.graph.ModelDescription;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// A model that is open for inference at every precision its file holds: the public face of the
/// runtime. Safe for use by many threads; each thread brings its own [Session].
///
/// `predict` = `prepare` (client inputs to batches of graph inputs) + plan + `finish`.
@SuppressWarnings("DoNotCallSuggester")
public final class LayeredModel implements AutoCloseable {

  private LayeredModel() {}

  /// Maps and verifies the artifact. Nothing is copied.
  ///
  /// @throws dev.strata.artifact.CorruptArtifactException if the file is damaged
  public static LayeredModel open(Path file) throws IOException {
    throw new UnsupportedOperationException(file.toString());
  }

  public ModelDescription description() {
    throw new UnsupportedOperationException();
  }

  /// Widths that can be asked for, ascending.
  public List<Bits> precisions() {
    throw new UnsupportedOperationException();
  }

  /// Bytes of the file a request of this precision depends on (the prefix's length).
  public long prefixBytes(Bits bits) {
    throw new UnsupportedOperationException(bits.toString());
  }

  /// Bytes of weight planes mapped and resident for all available precisions.
  public long planeBytes() {
    throw new UnsupportedOperationException();
  }

  /// Scratch memory and prepared plans of one worker thread; close it after use.
  public Session newSession() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }

  /// One worker's use of the model; not for concurrent use.
  public static final class Session implements AutoCloseable {
    private Session() {}

    /// Runs the model at exactly this precision. The outputs' data is heap memory owned by the
    /// caller.
    ///
    /// @param inputs client inputs by name, as in the description
    /// @throws InvalidInputException naming the input and what was expected
    /// @throws IllegalArgumentException if the model does not have this precision
    public Prediction predict(Bits bits, Map<String, Tensor> inputs) {
      throw new UnsupportedOperationException(bits + " " + inputs);
    }

    @Override
    public void close() {}
  }
}
