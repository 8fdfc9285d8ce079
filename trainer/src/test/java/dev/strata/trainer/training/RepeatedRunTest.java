package dev.strata.trainer.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The same run again, in the same process: every bit of its state is the same.
class RepeatedRunTest {
  private static final int EPOCHS = 2;

  @TempDir Path folder;

  /// Gradients were garbage where the collector had come between a step's two halves.
  @ParameterizedTest
  @ValueSource(strings = {"resnet-8", "transformer"})
  void theCollectorDoesNotMatter(String kind) throws Exception {
    byte[] quiet = state(kind, Runnable::run);
    Thread collector =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  while (!Thread.currentThread().isInterrupted()) {
                    System.gc();
                  }
                });
    try {
      assertArrayEquals(quiet, state(kind, Runnable::run));
    } finally {
      collector.interrupt();
      collector.join();
    }
  }

  @Test
  void batchesMadeAheadDoNotMatter() throws IOException {
    try (ExecutorService ahead = Executors.newSingleThreadExecutor()) {
      assertArrayEquals(state("mlp", Runnable::run), state("mlp", ahead));
    }
  }

  @Test
  void aRunThatWasStoppedEndsAsOneThatWasNot() throws IOException {
    Path checkpoint = folder.resolve("checkpoint");
    TrainedNetwork unstopped = Stripes.network(run("resnet-8"));
    TrainedNetwork resumed = Stripes.network(run("resnet-8"));
    try (NDManager memory = TorchEngine.start(1)) {
      double begun = epoch(unstopped, memory, 0, Runnable::run).getFirst();
      unstopped.state().write(checkpoint, "test", 1);
      assertEquals(1, resumed.state().read(checkpoint, "test"));
      List<Double> losses = epoch(unstopped, memory, 1, Runnable::run);
      assertEquals(losses, epoch(resumed, memory, 1, Runnable::run));
      assertTrue(losses.getLast() < begun, "loss %s after %s".formatted(losses, begun));
    }
    assertArrayEquals(bytes(unstopped), bytes(resumed));
  }

  private byte[] state(String kind, Executor ahead) throws IOException {
    TrainedNetwork network = Stripes.network(run(kind));
    try (NDManager memory = TorchEngine.start(1)) {
      for (int epoch = 0; epoch < EPOCHS; epoch++) {
        epoch(network, memory, epoch, ahead);
      }
    }
    return bytes(network);
  }

  /// The loss of each step.
  private static List<Double> epoch(
      TrainedNetwork network, NDManager memory, int epoch, Executor ahead) throws IOException {
    List<Double> losses = new ArrayList<>();
    new Training(network, Stripes.images(256, 1), Stripes.CLASSES, ahead)
        .epoch(memory, epoch, (_, _, _, loss, _) -> losses.add(loss));
    return losses;
  }

  private byte[] bytes(TrainedNetwork network) throws IOException {
    Path file = folder.resolve("state");
    network.state().write(file, "test", EPOCHS);
    return Files.readAllBytes(file);
  }

  private static RunFile run(String kind) {
    return Stripes.run(kind, "[8, 2]", EPOCHS);
  }
}
