package dev.strata.plan;

import dev.strata.graph.Shape;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// The plans that are bound to one block of memory, of all contexts that share it. Each takes some
/// tens of kilobytes and milliseconds to make; the least recently used is let go. For one thread at
/// a time.
final class Bindings {

  /// For all widths of a model and all shapes it has met of late.
  static final int REMEMBERED = 128;

  private record Key(ExecutionContext context, List<Shape> shapes) {}

  private record Binding(BoundPlan plan, Arena arena) {}

  /// Least recently used first.
  private final Map<Key, Binding> known = new LinkedHashMap<>(16, 0.75f, true);

  /// @param bind makes a plan whose structs go to the arena; it may make the block move
  BoundPlan of(ExecutionContext context, List<Shape> shapes, Function<Arena, BoundPlan> bind) {
    Key key = new Key(context, shapes);
    Binding binding = known.get(key);
    if (binding != null) {
      return binding.plan();
    }
    Arena arena = Arena.ofShared();
    try {
      BoundPlan plan = bind.apply(arena);
      known.put(key, new Binding(plan, arena));
      if (known.size() > REMEMBERED) {
        known.remove(known.keySet().iterator().next()).arena().close();
      }
      return plan;
    } catch (Throwable failure) {
      arena.close();
      throw failure;
    }
  }

  void forget(ExecutionContext context) {
    known
        .entrySet()
        .removeIf(
            entry -> {
              boolean own = entry.getKey().context() == context;
              if (own) {
                entry.getValue().arena().close();
              }
              return own;
            });
  }

  void forgetAll() {
    known.values().forEach(binding -> binding.arena().close());
    known.clear();
  }
}
