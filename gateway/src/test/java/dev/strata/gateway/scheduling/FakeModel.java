package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.BatchingSettings;
import dev.strata.gateway.call.BitRange;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.ModelPolicy;
import dev.strata.gateway.call.Precision;
import dev.strata.gateway.call.QueueSettings;
import dev.strata.gateway.call.ServedModel;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/// A model whose computation is a function, and that counts its sessions and remembers its batches.
final class FakeModel implements ServedModel {

  final AtomicInteger opened = new AtomicInteger();
  final AtomicInteger closed = new AtomicInteger();
  final List<List<Map<String, Tensor>>> batches = new CopyOnWriteArrayList<>();
  volatile boolean retired;
  private final UnaryOperator<Map<String, Tensor>> compute;
  private final ModelPolicy policy;

  FakeModel(UnaryOperator<Map<String, Tensor>> compute) {
    this(compute, BatchingSettings.STANDARD);
  }

  FakeModel(UnaryOperator<Map<String, Tensor>> compute, BatchingSettings batching) {
    this.compute = compute;
    this.policy =
        new ModelPolicy(
            new Precision.Exactly(new Bits(8)),
            BitRange.ALL,
            QueueSettings.STANDARD,
            batching,
            0,
            Optional.empty());
  }

  @Override
  public ModelCard card() {
    throw new UnsupportedOperationException("the scheduler has no business with the card");
  }

  @Override
  public ModelPolicy policy() {
    return policy;
  }

  @Override
  public boolean retired() {
    return retired;
  }

  @Override
  public Session newSession() {
    opened.incrementAndGet();
    return new Session() {
      private final AtomicBoolean running = new AtomicBoolean();

      @Override
      public List<Outcome> run(
          Bits bits, List<Map<String, Tensor>> requests, BooleanSupplier abandoned) {
        if (!running.compareAndSet(false, true)) {
          throw new AssertionError("two threads in one session");
        }
        try {
          batches.add(requests);
          return requests.stream()
              .<Outcome>map(
                  inputs -> {
                    Map<String, Tensor> outputs = compute.apply(inputs);
                    return abandoned.getAsBoolean()
                        ? new Outcome.Abandoned()
                        : new Outcome.Answered(outputs, OptionalDouble.empty());
                  })
              .toList();
        } finally {
          running.set(false);
        }
      }

      @Override
      public void close() {
        closed.incrementAndGet();
      }
    };
  }
}
