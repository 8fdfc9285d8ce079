package dev.strata.gateway.policy;

import dev.strata.gateway.call.ServedModel;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntSupplier;

/// The brown-out state of every model. Any thread.
public final class OverloadWatch {

  /// Hears of every change of a level.
  public interface Listener {
    /// @param level what it is at any later time, for it also falls while no request comes
    void changed(ServedModel model, int before, int after, IntSupplier level);
  }

  private final Map<ServedModel, BrownOut> states = new ConcurrentHashMap<>();
  private final boolean enabled;
  private final Listener listener;

  /// @param enabled whether flexible requests lose bits at all before requests are refused
  public OverloadWatch(boolean enabled, Listener listener) {
    this.enabled = enabled;
    this.listener = listener;
  }

  /// @param waitNanos how long a request accepted now would wait
  /// @return the model's state from now on
  public BrownOut observe(ServedModel model, long waitNanos, long now) {
    if (!enabled) {
      return BrownOut.calm(now);
    }
    if (!states.containsKey(model)) {
      states.keySet().removeIf(ServedModel::retired);
    }
    // Under the map's lock for this key, so that the listener hears the changes in their order.
    return states.compute(
        model,
        (_, before) -> {
          BrownOut after =
              (before == null ? BrownOut.calm(now) : before)
                  .observe(now, waitNanos, model.policy().queue());
          int old = before == null ? 0 : before.level();
          if (old != after.level()) {
            listener.changed(model, old, after.level(), () -> level(model, System.nanoTime()));
          }
          return after;
        });
  }

  /// The level now, also when no request has come for a while.
  public int level(ServedModel model, long now) {
    BrownOut state = states.get(model);
    return state == null ? 0 : state.at(now).level();
  }
}
