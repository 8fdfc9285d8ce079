package dev.strata.gateway.registry;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// Whose planes go when memory is short. Pure: the coldest model loses its last plane first, then
/// the one before it, down to its floor; then the next coldest.
final class Eviction {

  private Eviction() {}

  /// A model in memory.
  ///
  /// @param width how many widths it has there
  record Holder<T>(T model, ResidentPlanes.Demand demand, int width, long lastUsedNanos) {}

  /// One model's new width.
  record Step<T>(T model, int width) {}

  /// Plans what must go.
  ///
  /// @param holders those that may lose planes
  /// @param excess bytes to be freed
  /// @return models with their new, smaller widths; empty if all of it would not be enough
  static <T> Optional<List<Step<T>>> plan(List<Holder<T>> holders, long excess) {
    List<Step<T>> steps = new ArrayList<>();
    long left = excess;
    for (Holder<T> holder :
        holders.stream().sorted(Comparator.comparingLong(Holder::lastUsedNanos)).toList()) {
      int width = holder.width();
      while (left > 0 && width > holder.demand().floor()) {
        left -= holder.demand().bytes(width) - holder.demand().bytes(width - 1);
        width--;
      }
      if (width < holder.width()) {
        steps.add(new Step<>(holder.model(), width));
      }
    }
    return left <= 0 ? Optional.of(List.copyOf(steps)) : Optional.empty();
  }
}
