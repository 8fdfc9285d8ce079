package dev.strata.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.gateway.call.Cancellation;
import dev.strata.gateway.call.Urgency;
import dev.strata.gateway.call.Workload;
import dev.strata.gateway.registry.LoadObserver;
import dev.strata.gateway.registry.ModelLease;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelRepository;
import dev.strata.gateway.scheduling.Completion;
import dev.strata.gateway.scheduling.Job;
import dev.strata.gateway.scheduling.Scheduler;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import dev.strata.testing.TinyModel;
import dev.strata.testing.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// New versions take over from old ones while requests come in.
@Timeout(120)
class HotSwapTest {

  private static final int SWAPS = 100;
  private static final Bits EIGHT = new Bits(8);
  private static final Map<String, Tensor> INPUTS =
      Map.of("x", Tensor.of(Shape.of(1, 16), new float[16]));

  @TempDir Path directory;

  @Test
  void aHundredSwapsUnderLoadLoseNoRequest() throws Exception {
    ModelRegistry registry = new ModelRegistry();
    put(1);
    try (ModelRepository repository =
            new ModelRepository(
                ModelRepository.Options.of(directory), registry, LoadObserver.NONE);
        ExecutorService callers = Executors.newFixedThreadPool(2)) {
      repository.start().join();
      swapUnderLoad(registry, repository, callers);
      registry.close();
      assertEquals(0, repository.residentBytes(), "every version that was replaced is closed");
    }
  }

  private void swapUnderLoad(
      ModelRegistry registry, ModelRepository repository, ExecutorService callers)
      throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    try (Scheduler scheduler = new Scheduler(2, 1000)) {
      List<Future<Long>> calls = new ArrayList<>();
      for (int caller = 0; caller < 2; caller++) {
        calls.add(callers.submit(caller(registry, scheduler, done)));
      }
      for (long version = 2; version <= SWAPS + 1; version++) {
        put(version);
        while (!registry.readyVersions("tiny").equals(List.of(Long.toString(version)))) {
          repository.refresh();
          Thread.sleep(1);
        }
        Files.delete(file(version - 1));
      }
      done.set(true);
      long answered = 0;
      for (Future<Long> call : calls) {
        answered += call.get();
      }
      assertTrue(answered >= SWAPS, "got %d answers".formatted(answered));
    }
  }

  /// Asks until it is told to stop. Anything but an answer ends it with an exception.
  private static Callable<Long> caller(
      ModelRegistry registry, Scheduler scheduler, AtomicBoolean done) {
    return () -> {
      long answers = 0;
      while (!done.get()) {
        ModelLease lease = registry.lease("tiny", Optional.empty());
        CompletableFuture<Completion> answer =
            scheduler.submit(
                new Job(
                    lease.model(),
                    EIGHT,
                    EIGHT,
                    Workload.of(INPUTS),
                    INPUTS,
                    Urgency.NONE,
                    new Cancellation()));
        answer.whenComplete((_, _) -> lease.close()).join();
        answers++;
      }
      return answers;
    };
  }

  private void put(long version) throws IOException {
    Path unfinished = Files.createDirectories(file(version).getParent()).resolve(".unfinished");
    try (TinyModel model = TinyModels.withSeed(version)) {
      model.writeTo(unfinished);
    }
    Files.move(unfinished, file(version), StandardCopyOption.ATOMIC_MOVE);
  }

  private Path file(long version) {
    return directory.resolve("tiny").resolve(Long.toString(version)).resolve("model.strata");
  }
}
