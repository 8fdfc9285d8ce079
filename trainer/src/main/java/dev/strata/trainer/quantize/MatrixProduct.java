package dev.strata.trainer.quantize;

import dev.strata.graph.Activation;
import dev.strata.kernel.FloatKernels;
import dev.strata.kernel.Structs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;

/// The product of two float matrices by the runtime's kernels, row tiles in parallel.
final class MatrixProduct {
  private static final int TILE_ROWS = 192;
  private static final int PANEL = 16;
  private static final long ALIGNMENT = 64;

  private MatrixProduct() {}

  /// @param a `[m][k]`
  /// @param b `[k][n]`, at least
  /// @return `[m][n]`
  static float[] of(float[] a, int m, float[] b, int n, int k) {
    float[] product = new float[m * n];
    try (Arena arena = Arena.ofShared()) {
      MemorySegment right = copy(arena, b, 0, k * n);
      float[] noBias = new float[Math.ceilDiv(n, PANEL) * PANEL];
      MemorySegment bias = copy(arena, noBias, 0, noBias.length);
      IntStream.range(0, Math.ceilDiv(m, TILE_ROWS))
          .parallel()
          .forEach(
              tile -> {
                int first = tile * TILE_ROWS;
                int rows = Math.min(TILE_ROWS, m - first);
                multiply(a, first, rows, right, n, k, bias, product);
              });
    }
    return product;
  }

  private static void multiply(
      float[] a,
      int first,
      int rows,
      MemorySegment right,
      int n,
      int k,
      MemorySegment bias,
      float[] product) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment left = copy(arena, a, first * k, rows * k);
      MemorySegment out = arena.allocate((long) rows * n * Float.BYTES, ALIGNMENT);
      MemorySegment epilogue = arena.allocate(Structs.epilogueBytes(), ALIGNMENT);
      Structs.epilogue(epilogue, bias, MemorySegment.NULL, 0, Activation.IDENTITY, out, n);
      MemorySegment scratch =
          arena.allocate(Math.max(1, FloatKernels.matmulScratch(n, k)), ALIGNMENT);
      FloatKernels.matmulF32(1, rows, n, k, left, k, 0, right, n, 0, 0, epilogue, 0, scratch);
      MemorySegment.copy(out, ValueLayout.JAVA_FLOAT, 0, product, first * n, rows * n);
    }
  }

  private static MemorySegment copy(Arena arena, float[] values, int from, int count) {
    MemorySegment segment = arena.allocate((long) count * Float.BYTES, ALIGNMENT);
    MemorySegment.copy(values, from, segment, ValueLayout.JAVA_FLOAT, 0, count);
    return segment;
  }
}
