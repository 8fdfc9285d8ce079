package dev.strata.gateway.registry;

import java.util.List;
import java.util.function.IntConsumer;

/// One model's part of the memory budget: how many of its widths may be in memory, and how many it
/// could offer. The budget alone changes them, under its lock; what the model offers is the lesser.
final class ResidentPlanes {

  /// @param name for messages
  /// @param prefixBytes bytes that each width needs, that of 1 bit first
  /// @param floor planes are not taken away below this width
  record Demand(String name, List<Long> prefixBytes, int floor) {
    Demand {
      prefixBytes = List.copyOf(prefixBytes);
    }

    long bytes(int width) {
      return width == 0 ? 0 : prefixBytes.get(width - 1);
    }
  }

  private Demand demand;
  private final IntConsumer offer;
  private int granted;
  private int available;
  private volatile long lastUsedNanos;

  /// @param offer told the width to offer whenever it changes, once there is one
  ResidentPlanes(Demand demand, int granted, IntConsumer offer, long now) {
    this.demand = demand;
    this.granted = granted;
    this.offer = offer;
    this.lastUsedNanos = now;
  }

  Demand demand() {
    return demand;
  }

  void floor(int width) {
    demand = new Demand(demand.name(), demand.prefixBytes(), width);
  }

  /// The widest that may be in memory.
  int granted() {
    return granted;
  }

  /// The widest that has arrived and is ready to answer.
  int available() {
    return available;
  }

  void grant(int width) {
    granted = width;
  }

  void available(int width) {
    available = width;
  }

  /// Lets the model offer what it may.
  void settle() {
    if (available > 0) {
      offer.accept(Math.min(granted, available));
    }
  }

  /// @param now [System#nanoTime] or whatever clock the budget has
  void used(long now) {
    lastUsedNanos = now;
  }

  long lastUsedNanos() {
    return lastUsedNanos;
  }
}
