package dev.strata.gateway.registry;

import dev.strata.gateway.call.ServedModel;
import java.util.concurrent.atomic.AtomicBoolean;

/// The right to use a model: while it is open, the artifact stays mapped. Close it exactly when the
/// request is over; closing twice does nothing.
public final class ModelLease implements AutoCloseable {

  private final LoadedModel model;
  private final AtomicBoolean closed = new AtomicBoolean();

  /// Takes over one use that the registry has acquired.
  ModelLease(LoadedModel model) {
    this.model = model;
  }

  public ServedModel model() {
    return model;
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      model.release();
    }
  }
}
