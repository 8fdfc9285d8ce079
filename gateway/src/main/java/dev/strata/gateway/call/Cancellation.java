package dev.strata.gateway.call;

import java.util.ArrayList;
import java.util.List;

/// Tells everybody who works on a request that its caller has gone. Any thread.
public final class Cancellation {

  private final List<Runnable> listeners = new ArrayList<>();
  private volatile boolean cancelled;

  /// The caller has gone. The first time, runs what was registered.
  public void cancel() {
    List<Runnable> told;
    synchronized (this) {
      if (cancelled) {
        return;
      }
      cancelled = true;
      told = List.copyOf(listeners);
      listeners.clear();
    }
    told.forEach(Runnable::run);
  }

  public boolean cancelled() {
    return cancelled;
  }

  /// @param listener run once, at the cancellation, or now if that has been
  public void onCancel(Runnable listener) {
    synchronized (this) {
      if (!cancelled) {
        listeners.add(listener);
        return;
      }
    }
    listener.run();
  }
}
