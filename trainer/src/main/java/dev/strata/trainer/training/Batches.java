package dev.strata.trainer.training;

import java.util.Arrays;
import java.util.SplittableRandom;

/// The batches of one epoch. What is in one follows from seed, epoch and step alone, so they can be
/// made in any order and by any thread.
final class Batches {
  private static final long SPREAD = 1_000_003;

  private final Images images;
  private final RunFile run;
  private final int epoch;
  private final int[] order;

  Batches(Images images, RunFile run, int epoch) {
    this.images = images;
    this.run = run;
    this.epoch = epoch;
    this.order = shuffled(images.count(), new SplittableRandom(run.seed() * SPREAD + epoch + 1));
  }

  static final class Batch {
    private final float[] pixels;
    private final int[] labels;
    private final SplittableRandom choices;

    private Batch(float[] pixels, int[] labels, SplittableRandom choices) {
      this.pixels = pixels;
      this.labels = labels;
      this.choices = choices;
    }

    /// `[samples][channels][height][width]`, in 0..1
    float[] pixels() {
      return pixels;
    }

    int[] labels() {
      return labels;
    }

    /// What else the step draws.
    SplittableRandom choices() {
      return choices;
    }
  }

  static int size(RunFile run, int samples) {
    return Math.min(run.schedule().batch(), samples);
  }

  Batch of(int step) {
    SplittableRandom random =
        new SplittableRandom((run.seed() * SPREAD + epoch + 1) * SPREAD + step + 1);
    SplittableRandom choices = random.split();
    int[] labels = new int[size(run, images.count())];
    float[] pixels = new float[labels.length * images.size()];
    int shift = run.augmentation().shift();
    for (int i = 0; i < labels.length; i++) {
      int index = order[step * labels.length + i];
      labels[i] = images.label(index);
      int down = shift == 0 ? 0 : random.nextInt(-shift, shift + 1);
      int right = shift == 0 ? 0 : random.nextInt(-shift, shift + 1);
      boolean mirrored = run.augmentation().flip() && random.nextBoolean();
      images.copy(index, down, right, mirrored, pixels, i * images.size());
    }
    return new Batch(pixels, labels, choices);
  }

  private static int[] shuffled(int count, SplittableRandom random) {
    int[] order = new int[count];
    Arrays.setAll(order, i -> i);
    for (int i = order.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int kept = order[i];
      order[i] = order[j];
      order[j] = kept;
    }
    return order;
  }
}
