package dev.strata.gateway.cache;

import dev.strata.gateway.call.ServedModel;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// A cache for every loaded model whose owner wants one. A model that is loaded anew, or whose
/// owner changes the bound, begins with an empty one. Any thread.
public final class AnswerCaches {

  private final Map<ServedModel, AnswerCache> caches = new ConcurrentHashMap<>();

  /// @return empty if the model's answers are not kept
  public Optional<AnswerCache> of(ServedModel model) {
    long bytes = model.policy().cacheBytes();
    if (bytes == 0) {
      return Optional.empty();
    }
    AnswerCache known = caches.get(model);
    if (known != null && known.capacityBytes() == bytes) {
      return Optional.of(known);
    }
    caches.keySet().removeIf(ServedModel::retired);
    return Optional.of(
        caches.compute(
            model,
            (_, before) ->
                before != null && before.capacityBytes() == bytes
                    ? before
                    : new AnswerCache(bytes)));
  }
}
