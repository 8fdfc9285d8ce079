package dev.strata.trainer.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class BatchesTest {
  private static final int SAMPLES = 100;
  private static final int STEPS = 10;
  private static final Images IMAGES = images();

  @Test
  void aBatchIsTheSameInAnyOrderAndByAnyThread() {
    Batches inOrder = batches(1, 3);
    List<Batches.Batch> expected = new ArrayList<>();
    for (int step = 0; step < STEPS; step++) {
      expected.add(inOrder.of(step));
    }
    Batches shared = batches(1, 3);
    List<CompletableFuture<Batches.Batch>> found = new ArrayList<>();
    for (int step = STEPS - 1; step >= 0; step--) {
      int now = step;
      found.addFirst(CompletableFuture.supplyAsync(() -> shared.of(now)));
    }
    for (int step = 0; step < STEPS; step++) {
      Batches.Batch batch = found.get(step).join();
      assertArrayEquals(expected.get(step).labels(), batch.labels());
      assertArrayEquals(expected.get(step).pixels(), batch.pixels());
      assertEquals(expected.get(step).choices().nextLong(), batch.choices().nextLong());
    }
  }

  @Test
  void anEpochHasEachImageOnce() {
    Batches batches = batches(1, 0);
    TreeSet<Integer> seen = new TreeSet<>();
    for (int step = 0; step < STEPS; step++) {
      for (int label : batches.of(step).labels()) {
        seen.add(label);
      }
    }
    assertEquals(SAMPLES, seen.size());
  }

  @Test
  void seedEpochAndStepAllCount() {
    Batches.Batch batch = batches(1, 3).of(2);
    for (Batches.Batch other : List.of(batches(2, 3).of(2), batches(1, 4).of(2))) {
      assertFalse(Arrays.equals(batch.labels(), other.labels()));
      assertFalse(Arrays.equals(batch.pixels(), other.pixels()));
    }
    assertNotEquals(batch.choices().nextLong(), batches(1, 3).of(3).choices().nextLong());
  }

  private static Batches batches(int seed, int epoch) {
    RunFile run =
        RunFile.parse(
            "name: a\nseed: %d\nschedule: {batch: 10}\naugmentation: {shift: 2, flip: true}"
                .formatted(seed));
    return new Batches(IMAGES, run, epoch);
  }

  /// Each with a label and pixels of its own.
  private static Images images() {
    byte[] pixels = new byte[SAMPLES * 25];
    int[] labels = new int[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
      labels[i] = i;
      for (int j = 0; j < 25; j++) {
        pixels[i * 25 + j] = (byte) (i + 7 * j);
      }
    }
    return Images.of("squares", 1, 5, 5, pixels, labels, SAMPLES);
  }
}
