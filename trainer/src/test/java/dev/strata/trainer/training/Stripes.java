package dev.strata.trainer.training;

import java.util.SplittableRandom;

/// Small images to train on for a moment: the class is the stripes' direction and width.
final class Stripes {
  static final int SIDE = 12;
  static final int CLASSES = 4;

  private Stripes() {}

  static Images images(int count, long seed) {
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

  static RunFile run(String kind, String widths, int epochs) {
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

  static TrainedNetwork network(RunFile run) {
    return new TrainedNetwork(Architecture.build(run.network(), images(CLASSES, 1), CLASSES), run);
  }
}
