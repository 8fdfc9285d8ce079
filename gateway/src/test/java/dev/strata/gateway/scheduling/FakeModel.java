package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.ServedModel;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/// A model whose computation is a function, and that counts its sessions.
final class FakeModel implements ServedModel {

  final AtomicInteger opened = new AtomicInteger();
  final AtomicInteger closed = new AtomicInteger();
  volatile boolean retired;
  private final UnaryOperator<Map<String, Tensor>> compute;

  FakeModel(UnaryOperator<Map<String, Tensor>> compute) {
    this.compute = compute;
  }

  @Override
  public ModelCard card() {
    throw new UnsupportedOperationException("the scheduler has no business with the card");
  }

  @Override
  public boolean retired() {
    return retired;
  }

  @Override
  public Session newSession() {
    opened.incrementAndGet();
    return new Session() {
      @Override
      public Map<String, Tensor> run(Bits bits, Map<String, Tensor> inputs) {
        return compute.apply(inputs);
      }

      @Override
      public void close() {
        closed.incrementAndGet();
      }
    };
  }
}
