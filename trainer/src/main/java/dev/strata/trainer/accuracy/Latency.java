package dev.strata.trainer.accuracy;

import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.model.LayeredModel;
import dev.strata.precision.Bits;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// Time of one sample at each width, on one thread.
final class Latency {
  private static final int ROUNDS = 25;
  private static final int WARM_UP = 3;

  /// As long at least: small networks run in less time than their code takes to be compiled.
  private static final long WARM_UP_NANOS = 2_000_000_000;

  private Latency() {}

  /// Medians in milliseconds. Widths take turns, so that a busy machine slows all of them alike.
  static Map<Bits, Double> medianMillis(LayeredModel model, Map<String, Tensor> sample) {
    Map<Bits, long[]> nanos = new LinkedHashMap<>();
    model.precisions().forEach(bits -> nanos.put(bits, new long[ROUNDS]));
    try (LayeredModel.Session session = model.newSession()) {
      long warm = System.nanoTime() + WARM_UP_NANOS;
      for (int round = 0; round < WARM_UP || System.nanoTime() < warm; round++) {
        nanos.keySet().forEach(bits -> session.predict(bits, sample));
      }
      for (int round = 0; round < ROUNDS; round++) {
        for (Map.Entry<Bits, long[]> one : nanos.entrySet()) {
          long start = System.nanoTime();
          session.predict(one.getKey(), sample);
          one.getValue()[round] = System.nanoTime() - start;
        }
      }
    }
    Map<Bits, Double> medians = new LinkedHashMap<>();
    nanos.forEach(
        (bits, times) -> {
          Arrays.sort(times);
          medians.put(bits, times[ROUNDS / 2] / 1e6);
        });
    return medians;
  }

  /// The same of a network of images, for one of half-bright pixels.
  static Map<Bits, Double> medianMillis(Path artifact) throws IOException {
    try (LayeredModel model = LayeredModel.open(artifact)) {
      Map<String, Tensor> sample = new LinkedHashMap<>();
      model
          .description()
          .inputs()
          .forEach(
              input -> {
                long[] dims = input.shape().toArray();
                dims[0] = 1;
                float[] pixels = new float[Math.toIntExact(Shape.of(dims).elements())];
                Arrays.fill(pixels, 0.5f);
                sample.put(input.name(), Tensor.of(Shape.of(dims), pixels));
              });
      return medianMillis(model, sample);
    }
  }
}
