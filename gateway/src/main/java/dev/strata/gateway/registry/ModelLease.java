package dev.strata.gateway.registry;

import dev.strata.gateway.call.ServedModel;
import java.util.concurrent.atomic.AtomicBoolean;

/// The right to use a model: while it is open, the artifact stays mapped and the planes that were
/// offered stay in memory. Close it exactly when the request is over; closing twice does nothing.
public final class ModelLease implements AutoCloseable {

  private final LoadedModel model;
  private final Runnable end;
  private final AtomicBoolean closed = new AtomicBoolean();

  /// @param end ends the use that the registry has acquired
  ModelLease(LoadedModel model, Runnable end) {
    this.model = model;
    this.end = end;
  }

  public ServedModel model() {
    return model;
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      end.run();
    }
  }
}
