package dev.strata.trainer.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDManager;
import dev.strata.graph.Tensor;
import dev.strata.model.LayeredModel;
import dev.strata.precision.Bits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Small networks, trained for a moment on striped images.
class ServedAsTrainedTest {
  private static final int SIDE = 12;
  private static final int CLASSES = 4;
  private static final int TESTED = 64;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "resnet-8",
        "resnet-14",
        "vgg-small",
        "mobilenet",
        "mlp",
        "vision-mlp",
        "transformer"
      })
  void theServedModelAnswersAsTheTrainedOneAtEveryTrainedWidth(String kind) throws IOException {
    RunFile run = run(kind, "[8, 6, 5, 4, 3, 2, 1]", 2);
    Images images = stripes(256, 1);
    TrainedNetwork network = trained(run, images);
    Path file = folder.resolve("model.strata");
    new LayeredExport(network, new TrainingData(images, images, List.of())).write(file, Map.of());
    Images test = stripes(TESTED, 2);
    try (NDManager memory = TorchEngine.start(run.threads());
        LayeredModel model = LayeredModel.open(file);
        LayeredModel.Session session = model.newSession()) {
      for (int width : run.widths()) {
        float[] trained =
            Training.softmax(
                TorchPass.answer(
                    network,
                    TrainingRun.batch(memory, test, 0, TESTED),
                    network.decode(List.of(width)),
                    width),
                CLASSES);
        Tensor input =
            Tensor.of(
                dev.strata.graph.Shape.of(TESTED, 1, SIDE, SIDE),
                TrainingRun.pixels(test, 0, TESTED));
        float[] served =
            session
                .predict(new Bits(width), Map.of("image", input))
                .outputs()
                .get("probabilities")
                .toFloats();
        int close = 0;
        float worst = 0;
        for (int i = 0; i < TESTED; i++) {
          float most = 0;
          for (int j = 0; j < CLASSES; j++) {
            most = Math.max(most, Math.abs(trained[i * CLASSES + j] - served[i * CLASSES + j]));
          }
          close += most < 1e-3 ? 1 : 0;
          worst = Math.max(worst, most);
        }
        // Most images agree to 1e-6. Some differ by more, most of them at 8 bits, where codes lie
        // closest: presumably sums on the edge of two codes, which is not proved. The bounds are
        // what was seen with room, not derived.
        String seen = "%s at %d bits: %d, worst %s".formatted(kind, width, close, worst);
        assertTrue(close >= TESTED * 7 / 8, seen);
        assertTrue(worst < 0.05f, seen);
      }
    }
  }

  /// The checkpoint is exact, and the next epoch takes up where it ends. The ends of two runs are
  /// not compared: now and then the tensor library sums in another order.
  @Test
  void aRunGoesOnFromItsCheckpoint() throws IOException {
    RunFile run = run("resnet-8", "[8, 2]", 2);
    Images images = stripes(256, 1);
    Path file = folder.resolve("checkpoint");
    Path copy = folder.resolve("copy");
    try (NDManager memory = TorchEngine.start(run.threads())) {
      TrainedNetwork unstopped = network(run, images);
      double begun = losses(unstopped, images, memory, 0).getFirst();
      unstopped.state().write(file, "test", 1);
      TrainedNetwork resumed = network(run, images);
      assertEquals(1, resumed.state().read(file, "test"));
      resumed.state().write(copy, "test", 1);
      assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(copy));
      double next = losses(unstopped, images, memory, 1).getFirst();
      assertEquals(next, losses(resumed, images, memory, 1).getFirst(), 1e-3);
      assertTrue(next < begun, "loss %s after %s".formatted(next, begun));
    }
  }

  /// The loss of each step of an epoch.
  private static List<Double> losses(
      TrainedNetwork network, Images images, NDManager memory, int epoch) throws IOException {
    List<Double> losses = new ArrayList<>();
    new Training(network, images, CLASSES, Runnable::run)
        .epoch(memory, epoch, (_, _, _, loss, _) -> losses.add(loss));
    return losses;
  }

  @Test
  void anUnknownKeyIsNamed() {
    InvalidRunException told =
        assertThrows(
            InvalidRunException.class,
            () -> RunFile.parse("name: a\nschedule: {epochs: 1, learning-rat: 1}"));
    assertTrue(told.getMessage().startsWith("schedule.learning-rat: unknown key"));
  }

  private static RunFile run(String kind, String widths, int epochs) {
    return RunFile.parse(
        """
        name: stripes
        threads: 1
        architecture: {kind: %s, channels: 8}
        widths: %s
        least-activation-bits: 2
        schedule: {epochs: %d, batch: 32, learning-rate: 0.02}
        augmentation: {shift: 1, flip: true}
        """
            .formatted(kind, widths, epochs));
  }

  private static TrainedNetwork network(RunFile run, Images images) {
    return new TrainedNetwork(Architecture.build(run.network(), images, CLASSES), run);
  }

  private static TrainedNetwork trained(RunFile run, Images images) throws IOException {
    TrainedNetwork network = network(run, images);
    try (NDManager memory = TorchEngine.start(run.threads())) {
      Training training = new Training(network, images, CLASSES, Runnable::run);
      for (int epoch = 0; epoch < run.schedule().epochs(); epoch++) {
        training.epoch(memory, epoch, (_, _, _, _, _) -> {});
      }
    }
    return network;
  }

  /// The class is the stripes' direction and width.
  private static Images stripes(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    byte[] pixels = new byte[count * SIDE * SIDE];
    int[] labels = new int[count];
    for (int i = 0; i < count; i++) {
      labels[i] = random.nextInt(CLASSES);
      for (int at = 0; at < SIDE * SIDE; at++) {
        int along = labels[i] % 2 == 0 ? at / SIDE : at % SIDE;
        int bright = along / (1 + labels[i] / 2) % 2 * 150;
        pixels[i * SIDE * SIDE + at] = (byte) (bright + random.nextInt(100));
      }
    }
    return Images.of("stripes", 1, SIDE, SIDE, pixels, labels, count);
  }
}
