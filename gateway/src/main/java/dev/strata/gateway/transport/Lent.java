package dev.strata.gateway.transport;

import com.google.protobuf.MessageLite;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/// A request whose byte fields may still lie in the network's buffers. Those are given back when
/// the last holder lets go; nobody may look at the byte fields after that.
///
/// @param <M> the message
public final class Lent<M extends MessageLite> {

  private final M message;
  private final Optional<InputStream> buffers;
  private final AtomicInteger holders = new AtomicInteger(1);

  /// Whoever makes it is its first holder.
  ///
  /// @param buffers what the message borrows from; empty if it owns its bytes
  Lent(M message, Optional<InputStream> buffers) {
    this.message = message;
    this.buffers = buffers;
  }

  public M message() {
    return message;
  }

  /// Holds it until the future that begins now is done.
  ///
  /// @param begin must not throw
  public <T> CompletableFuture<T> until(Supplier<CompletableFuture<T>> begin) {
    hold();
    return begin.get().whenComplete((_, _) -> release());
  }

  /// One more holder; only a holder may ask for it.
  void hold() {
    holders.incrementAndGet();
  }

  /// One holder fewer.
  void release() {
    if (holders.decrementAndGet() > 0) {
      return;
    }
    buffers.ifPresent(Lent::close);
  }

  static void close(InputStream buffers) {
    try {
      buffers.close();
    } catch (IOException impossible) {
      throw new UncheckedIOException("memory", impossible);
    }
  }
}
