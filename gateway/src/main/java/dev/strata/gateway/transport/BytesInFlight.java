package dev.strata.gateway.transport;

import dev.strata.gateway.GatewayConfig;
import jakarta.inject.Singleton;
import java.util.concurrent.atomic.AtomicLong;

/// Bytes of all requests under way, so that many large ones at once cannot exhaust the memory that
/// one of them fits into easily.
@Singleton
final class BytesInFlight {

  private final long most;
  private final AtomicLong held = new AtomicLong();

  BytesInFlight(GatewayConfig config) {
    this.most = config.limits().bytesInFlight().orElseGet(BytesInFlight::quarterOfMemory);
  }

  /// Of the heap, where bodies lie, and which the runtime sizes by the container's memory.
  private static long quarterOfMemory() {
    return Math.max(1024, Runtime.getRuntime().maxMemory() / 4);
  }

  /// @return false if there is no room now
  boolean reserve(long bytes) {
    long before = held.get();
    while (bytes <= most - before) {
      if (held.compareAndSet(before, before + bytes)) {
        return true;
      }
      before = held.get();
    }
    return false;
  }

  void release(long bytes) {
    held.addAndGet(-bytes);
  }

  /// Why there is no room, for the client.
  String full() {
    return "bytes of requests under way: got %d and this one, expected at most %d"
            .formatted(held.get(), most)
        + " (strata.limits.bytes-in-flight)";
  }
}
