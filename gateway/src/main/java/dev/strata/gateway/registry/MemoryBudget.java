package dev.strata.gateway.registry;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;

/// Keeps the bytes of all mapped artifacts within a bound. A load asks before it reads; what it
/// gets, colder models give up, plane by plane. Nothing is estimated: an artifact's header says
/// what each width takes.
public final class MemoryBudget {

  /// A bound that is never reached.
  public static final long NO_LIMIT = Long.MAX_VALUE;

  private final long bytes;
  private final long idleNanos;
  private final LongSupplier clock;
  private final List<ResidentPlanes> models = new ArrayList<>();

  /// @param bytes most bytes of all models together
  /// @param idle a model that has not been used for so long gives planes back to one that has
  /// @param clock nanoseconds from any beginning
  public MemoryBudget(long bytes, Duration idle, LongSupplier clock) {
    this.bytes = bytes;
    this.idleNanos = idle.toNanos();
    this.clock = clock;
  }

  /// Takes in a model with as many widths as its floor says, at the cost of others' planes.
  ///
  /// @param offer told the model's new width whenever it is to change, under the budget's lock
  /// @throws NoRoomException if that cannot fit, however many planes the others give up
  synchronized ResidentPlanes open(ResidentPlanes.Demand demand, IntConsumer offer)
      throws NoRoomException {
    long least = demand.bytes(demand.floor());
    if (!makeRoom(least, models)) {
      long floors =
          models.stream().mapToLong(model -> model.demand().bytes(model.demand().floor())).sum();
      throw new NoRoomException(
          ("memory: got %,d bytes for %d bits, expected at most %,d"
                  + " (strata.memory.budget-bytes is %,d, and other models need %,d at least)")
              .formatted(least, demand.floor(), Math.max(0, bytes - floors), bytes, floors));
    }
    ResidentPlanes model = new ResidentPlanes(demand, demand.floor(), offer, clock.getAsLong());
    models.add(model);
    return model;
  }

  /// Asks for memory up to a width, at the cost of others' planes.
  ///
  /// @return false if there is no room for all of it
  synchronized boolean reserve(ResidentPlanes model, int width) {
    return width <= model.granted() || widen(model, width, models);
  }

  /// A width has arrived and is ready to answer. The model offers it if it has been granted.
  synchronized void available(ResidentPlanes model, int width) {
    model.available(width);
    model.settle();
  }

  /// Grants one more width to the hottest of the models that lack one. Room comes from what is free
  /// and from colder models that have been idle.
  ///
  /// @return the model, whose planes are to be fetched and then [#settle]d
  synchronized Optional<ResidentPlanes> giveBack() {
    long idleSince = clock.getAsLong() - idleNanos;
    return models.stream()
        .filter(model -> model.granted() < model.available())
        .sorted(Comparator.comparingLong(ResidentPlanes::lastUsedNanos).reversed())
        .filter(model -> widen(model, model.granted() + 1, idle(idleSince, model)))
        .findFirst();
  }

  private List<ResidentPlanes> idle(long since, ResidentPlanes hotter) {
    return models.stream()
        .filter(
            model ->
                model.lastUsedNanos() - since < 0
                    && model.lastUsedNanos() - hotter.lastUsedNanos() < 0)
        .toList();
  }

  /// Changes the width below which a model loses no planes. What it has lost comes back by itself.
  synchronized void floor(ResidentPlanes model, int width) {
    model.floor(width);
  }

  /// Lets a model offer what it has been granted.
  synchronized void settle(ResidentPlanes model) {
    model.settle();
  }

  /// Ends a model's part.
  synchronized void close(ResidentPlanes model) {
    models.remove(model);
  }

  /// A model answers a request.
  void used(ResidentPlanes model) {
    model.used(clock.getAsLong());
  }

  /// Bytes that all models hold now.
  public synchronized long used() {
    return models.stream().mapToLong(model -> model.demand().bytes(model.granted())).sum();
  }

  private boolean widen(ResidentPlanes model, int width, List<ResidentPlanes> losers) {
    long needed = model.demand().bytes(width) - model.demand().bytes(model.granted());
    if (!makeRoom(needed, losers.stream().filter(other -> other != model).toList())) {
      return false;
    }
    model.grant(width);
    return true;
  }

  private boolean makeRoom(long needed, List<ResidentPlanes> losers) {
    if (bytes == NO_LIMIT) {
      return true;
    }
    Optional<List<Eviction.Step<ResidentPlanes>>> steps =
        Eviction.plan(
            losers.stream()
                .map(
                    model ->
                        new Eviction.Holder<>(
                            model, model.demand(), model.granted(), model.lastUsedNanos()))
                .toList(),
            used() + needed - bytes);
    steps.ifPresent(
        all ->
            all.forEach(
                step -> {
                  step.model().grant(step.width());
                  step.model().settle();
                }));
    return steps.isPresent();
  }
}
