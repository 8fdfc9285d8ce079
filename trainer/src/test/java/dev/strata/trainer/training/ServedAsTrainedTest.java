package dev.strata.trainer.training;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDManager;
import dev.strata.graph.Tensor;
import dev.strata.model.LayeredModel;
import dev.strata.precision.Bits;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Small networks, trained for a moment on striped images.
class ServedAsTrainedTest {
  private static final int SIDE = Stripes.SIDE;
  private static final int CLASSES = Stripes.CLASSES;
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
    RunFile run = Stripes.run(kind, "[8, 6, 5, 4, 3, 2, 1]", 2);
    Images images = Stripes.images(256, 1);
    TrainedNetwork network = trained(run, images);
    Path file = folder.resolve("model.strata");
    new LayeredExport(network, new TrainingData(images, images, List.of())).write(file, Map.of());
    Images test = Stripes.images(TESTED, 2);
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

  @Test
  void anUnknownKeyIsNamed() {
    InvalidRunException told =
        assertThrows(
            InvalidRunException.class,
            () -> RunFile.parse("name: a\nschedule: {epochs: 1, learning-rat: 1}"));
    assertTrue(told.getMessage().startsWith("schedule.learning-rat: unknown key"));
  }

  private static TrainedNetwork trained(RunFile run, Images images) throws IOException {
    TrainedNetwork network = Stripes.network(run);
    try (NDManager memory = TorchEngine.start(run.threads())) {
      Training training = new Training(network, images, CLASSES, Runnable::run);
      for (int epoch = 0; epoch < run.schedule().epochs(); epoch++) {
        training.epoch(memory, epoch, (_, _, _, _, _) -> {});
      }
    }
    return network;
  }
}
