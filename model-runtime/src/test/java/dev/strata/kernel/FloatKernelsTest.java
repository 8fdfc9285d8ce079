package dev.strata.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.graph.Activation;
import dev.strata.graph.Op;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Every float operator against plain Java loops, on every instruction set of this machine.
@SuppressWarnings("EnumOrdinal") // the order of the enums is part of the native ABI
final class FloatKernelsTest {

  private static final int[] WIDTHS = {0, 1, 2, 15, 16, 17, 31, 32, 33, 64, 100, 384};

  private final Random random = new Random(7);
  private final Arena arena = Arena.ofConfined();

  @AfterEach
  void restore() {
    NativeLibrary.loaded().use(NativeLibrary.loaded().chosen());
    arena.close();
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1",
    "1, 33, 7",
    "3, 16, 16",
    "5, 31, 64",
    "8, 32, 32",
    "13, 65, 17",
    "17, 100, 40",
    "32, 32, 0",
    "1, 768, 48",
    "40, 64, 96"
  })
  void matrixProductsAreChainsOfFusedMultiplyAdds(int m, int n, int k) {
    float[] a = values(m * k);
    float[] b = values(k * n);
    float[] bias = values(n);
    float[] residual = values(m * n);
    for (boolean transposed : new boolean[] {false, true}) {
      float[] expected = ReferenceFloatKernels.matmul(m, n, k, a, b, transposed, bias, residual);
      float[] actual =
          sameOnEveryIsa(
              () -> matmul(1, m, n, k, a, b, transposed, bias, residual, Activation.IDENTITY));
      assertArrayEquals(expected, actual, "transposed " + transposed);
    }
  }

  @Test
  void rowsAndBatchesOfAProductEqualEachRowAlone() {
    int batch = 3;
    int m = 13;
    int n = 37;
    int k = 29;
    float[] a = values(batch * m * k);
    float[] b = values(batch * k * n);
    float[] bias = values(n);
    Activation gelu = Activation.of(Activation.Kind.GELU);
    float[] whole =
        sameOnEveryIsa(() -> matmul(batch, m, n, k, a, b, true, bias, new float[0], gelu));
    for (int row = 0; row < batch * m; row++) {
      float[] one = Arrays.copyOfRange(a, row * k, (row + 1) * k);
      float[] matrix = Arrays.copyOfRange(b, row / m * k * n, (row / m + 1) * k * n);
      float[] alone = matmul(1, 1, n, k, one, matrix, true, bias, new float[0], gelu);
      assertArrayEquals(Arrays.copyOfRange(whole, row * n, (row + 1) * n), alone, "row " + row);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8, 16, 24, 40, 65, 96})
  void depthwiseConvolutionSkipsTapsOutsideTheImage(int channels) {
    var images = images(2, 7, 6, channels);
    var window = new Op.Window(3, 3, 2, 1, 1, 2, 1, 2, 1, 2);
    float[] weights = values(channels * 9);
    float[] bias = values(channels);
    float[] expected = ReferenceFloatKernels.depthwise(images, window, weights, bias);
    MemorySegment out = floats(expected.length);
    MemorySegment epilogue = arena.allocate(Structs.epilogueBytes(), 8);
    Structs.epilogue(
        epilogue, floats(bias), MemorySegment.NULL, 0, Activation.IDENTITY, out, channels);
    MemorySegment at = window(images, window, false);
    MemorySegment x = floats(images.values());
    MemorySegment taps = floats(weights);
    float[] actual =
        sameOnEveryIsa(
            () -> {
              FloatKernels.depthwiseF32(at, x, taps, epilogue);
              return array(out);
            });
    assertArrayEquals(expected, actual);
  }

  @ParameterizedTest
  @EnumSource(Op.Pool.Pooling.class)
  void poolingSeesTheTapsInsideTheImage(Op.Pool.Pooling kind) {
    var window = new Op.Window(3, 2, 2, 2, 1, 1, 1, 1, 0, 1);
    for (int channels : new int[] {1, 5, 16, 33}) {
      var images = images(2, 6, 7, channels);
      for (boolean countPadding : new boolean[] {false, true}) {
        float[] expected = ReferenceFloatKernels.pool(images, window, kind, countPadding);
        MemorySegment y = floats(expected.length);
        MemorySegment at = window(images, window, true);
        MemorySegment x = floats(images.values());
        float[] actual =
            sameOnEveryIsa(
                () -> {
                  FloatKernels.poolF32(
                      kind.ordinal(),
                      at,
                      window.padBottom(),
                      window.padRight(),
                      countPadding ? 1 : 0,
                      x,
                      y);
                  return array(y);
                });
        assertArrayEquals(expected, actual, "channels %d".formatted(channels));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Op.Binary.Function.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"MOD", "EQUAL", "POW"})
  void operandsBroadcastByTheirStrides(Op.Binary.Function kind) {
    for (int width : WIDTHS) {
      long[] dims = {2, 1, 3, width};
      for (long[][] strides :
          new long[][][] {
            {{3L * width, 0, width, 1}, {3L * width, 0, width, 1}},
            {{3L * width, 0, width, 1}, {0, 0, 0, 1}},
            {{3L * width, 0, width, 1}, {0, 0, 1, 0}},
            {{0, 0, 0, 0}, {3L * width, 5, width, 1}},
            {{1, 0, 2, 6}, {0, 0, width, 1}}
          }) {
        float[] a = values(6 * width + 1);
        float[] b = values(6 * width + 3);
        var expected = new float[6 * width];
        for (int i = 0; i < expected.length; i++) {
          float left = a[ReferenceFloatKernels.offset(i, dims, strides[0])];
          float right = b[ReferenceFloatKernels.offset(i, dims, strides[1])];
          expected[i] = ReferenceFloatKernels.binary(kind, left, right);
        }
        assertArrayEquals(expected, binary(kind, dims, strides, a, b), "width " + width);
      }
    }
  }

  @Test
  void powersAreThoseOfDoublePrecision() {
    float[] special = {
      0,
      -0f,
      1,
      -1,
      2,
      -2,
      0.5f,
      -0.5f,
      3,
      -3,
      1e-40f,
      3e38f,
      -3e38f,
      Float.POSITIVE_INFINITY,
      Float.NEGATIVE_INFINITY,
      Float.NaN
    };
    int count = 4000;
    float[] bases = new float[count];
    float[] exponents = new float[count];
    for (int i = 0; i < count; i++) {
      boolean corner = i < special.length * special.length;
      bases[i] = corner ? special[i / special.length] : (float) Math.exp(10 * gaussian());
      exponents[i] = corner ? special[i % special.length] : 3 * gaussian();
      if (!corner && i % 2 == 0) {
        bases[i] = -bases[i];
        exponents[i] = (float) Math.rint(exponents[i]);
      }
    }
    long[] dims = {count};
    float[] actual =
        binary(Op.Binary.Function.POW, dims, new long[][] {{1}, {1}}, bases, exponents);
    for (int i = 0; i < count; i++) {
      double expected = Math.pow(bases[i], exponents[i]);
      boolean one = bases[i] == 1 || (bases[i] == -1 && Float.isInfinite(exponents[i]));
      String text = "%s to the %s".formatted(bases[i], exponents[i]);
      assertNear(one ? 1 : expected, actual[i], 6.1e-8, 0, text);
    }
  }

  @Test
  void conditionsChoose() {
    for (int width : WIDTHS) {
      long[] condition = random.longs(width, 0, 2).map(value -> value << 40).toArray();
      float[] a = values(3 * width);
      float[] b = values(3);
      var expected = new float[3 * width];
      for (int i = 0; i < expected.length; i++) {
        expected[i] = condition[i % width] != 0 ? a[i] : b[i / width];
      }
      MemorySegment y = floats(expected.length);
      MemorySegment dims = longs(3, width);
      MemorySegment c = longs(condition);
      MemorySegment yes = floats(a);
      MemorySegment no = floats(b);
      float[] actual =
          sameOnEveryIsa(
              () -> {
                FloatKernels.whereF32(
                    2, dims, longs(0, 1), longs(width, 1), longs(1, 0), c, yes, no, y);
                return array(y);
              });
      assertArrayEquals(expected, actual, "width " + width);
    }
  }

  @Test
  void softmaxScalesExponentialsByTheirSumInSixteenLanes() {
    for (int width : WIDTHS) {
      float[] x = values(width);
      float most = 0;
      for (int i = 0; i < width; i++) {
        most = i == 0 ? x[i] : Math.max(most, x[i]);
      }
      var below = new float[width];
      for (int i = 0; i < width; i++) {
        below[i] = x[i] - most;
      }
      float[] expected = unary(Activation.of(Activation.Kind.EXP), below);
      float sum = ReferenceFloatKernels.sum(expected);
      for (int i = 0; i < width; i++) {
        expected[i] *= 1 / sum;
      }
      MemorySegment in = floats(concat(x, x));
      MemorySegment y = floats(2 * width);
      float[] actual =
          sameOnEveryIsa(
              () -> {
                FloatKernels.softmaxF32(in, y, 2, width);
                return array(y);
              });
      assertArrayEquals(concat(expected, expected), actual, "width " + width);
    }
  }

  @Test
  void layerNormSumsInSixteenLanes() {
    for (int width : WIDTHS) {
      float[] x = values(width);
      float[] scale = values(width);
      float[] bias = values(width);
      float[] expected = ReferenceFloatKernels.layerNorm(x, scale, bias, 1e-5f);
      MemorySegment in = floats(concat(x, x));
      MemorySegment y = floats(2 * width);
      MemorySegment scales = floats(scale);
      MemorySegment biases = floats(bias);
      float[] actual =
          sameOnEveryIsa(
              () -> {
                FloatKernels.layerNormF32(in, scales, biases, 1e-5f, y, 2, width);
                return array(y);
              });
      assertArrayEquals(concat(expected, expected), actual, "width " + width);
    }
  }

  @ParameterizedTest
  @EnumSource(value = Op.Reduce.Reduction.class, mode = EnumSource.Mode.EXCLUDE, names = "PROD")
  void reductionsHaveOneOrder(Op.Reduce.Reduction kind) {
    for (int axis : WIDTHS) {
      for (int inner : new int[] {1, 2, 33}) {
        float[] x = values(axis * inner);
        float[] expected = ReferenceFloatKernels.reduce(kind, axis, inner, x);
        MemorySegment in = floats(concat(x, x));
        MemorySegment y = floats(2 * inner);
        float[] actual =
            sameOnEveryIsa(
                () -> {
                  FloatKernels.reduceF32(kind.ordinal(), 2, axis, inner, in, y);
                  return array(y);
                });
        assertArrayEquals(concat(expected, expected), actual, axis + " by " + inner);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "EXP, 1e-7, 0",
    "LOG, 1e-7, 0",
    "ERF, 2.5e-7, 0",
    "TANH, 2e-7, 0",
    "SIGMOID, 2e-7, 0",
    "GELU, 3e-7, 3e-7",
    "GELU_TANH, 3e-7, 3e-7",
    "SQRT, 6e-8, 0",
    "RECIPROCAL, 6e-8, 0"
  })
  void functionsAreAsAccurateAsTheirFormulasSay(
      Activation.Kind kind, double relative, double absolute) {
    DoubleUnaryOperator exact =
        switch (kind) {
          case EXP -> Math::exp;
          case LOG -> Math::log;
          case ERF -> ReferenceFloatKernels::erf;
          case TANH -> Math::tanh;
          case SIGMOID -> x -> 1 / (1 + Math.exp(-x));
          case GELU -> x -> x / 2 * (1 + ReferenceFloatKernels.erf(x / Math.sqrt(2)));
          case GELU_TANH ->
              x -> x / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
          case SQRT -> Math::sqrt;
          default -> x -> 1 / x;
        };
    var x = new float[20000];
    for (int i = 0; i < x.length; i++) {
      x[i] = i % 2 == 0 ? 4 * gaussian() : (float) (80 * random.nextDouble() - 40);
    }
    x[0] = 0;
    x[1] = Float.POSITIVE_INFINITY;
    x[2] = Float.NEGATIVE_INFINITY;
    x[3] = Float.NaN;
    x[4] = Float.MIN_VALUE;
    float[] y = unary(Activation.of(kind), x);
    for (int i = 0; i < x.length; i++) {
      double expected = exact.applyAsDouble(x[i]);
      boolean gelu = kind == Activation.Kind.GELU || kind == Activation.Kind.GELU_TANH;
      if (gelu && x[i] == Float.NEGATIVE_INFINITY) {
        expected = 0;
      }
      assertNear(expected, y[i], relative, absolute, kind + " of " + x[i]);
    }
  }

  @Test
  void simpleFunctionsAreExact() {
    float[] x = {-3.5f, -0.5f, -0f, 0, 0.25f, 1, 7};
    assertArrayEquals(new float[] {0, 0, -0f, 0, 0.25f, 1, 7}, unary(Activation.RELU, x), "relu");
    assertArrayEquals(
        new float[] {-1, -0.5f, -0f, 0, 0.25f, 1, 6},
        unary(new Activation(Activation.Kind.CLIP, -1, 6), x),
        "clip");
    assertArrayEquals(
        new float[] {-0.875f, -0.125f, -0f, 0, 0.25f, 1, 7},
        unary(new Activation(Activation.Kind.LEAKY_RELU, 0.25f, 0), x),
        "leaky relu");
    assertArrayEquals(
        new float[] {0, 0.375f, 0.5f, 0.5f, 0.5625f, 0.75f, 1},
        unary(new Activation(Activation.Kind.HARD_SIGMOID, 0.25f, 0.5f), x),
        "hard sigmoid");
    float sixth = 1f / 6;
    assertArrayEquals(
        new float[] {
          -0f,
          -0.5f * Math.fma(-0.5f, sixth, 0.5f),
          -0f,
          0,
          0.25f * Math.fma(0.25f, sixth, 0.5f),
          Math.fma(1, sixth, 0.5f),
          7
        },
        unary(Activation.of(Activation.Kind.HARD_SWISH), x),
        "hard swish");
    assertArrayEquals(
        new float[] {3.5f, 0.5f, 0, 0, 0.25f, 1, 7},
        unary(Activation.of(Activation.Kind.ABS), x),
        "abs");
    assertArrayEquals(
        new float[] {3.5f, 0.5f, 0, -0f, -0.25f, -1, -7},
        unary(Activation.of(Activation.Kind.NEG), x),
        "neg");
  }

  @ParameterizedTest
  @EnumSource(Activation.Kind.class)
  void aValueGivesTheSameBitsWhereverItLies(Activation.Kind kind) {
    var function = new Activation(kind, 0.2f, 0.7f);
    var x = new float[101];
    for (int i = 0; i < x.length; i++) {
      x[i] = i % 3 == 0 ? Float.intBitsToFloat(random.nextInt()) : 5 * gaussian();
    }
    float[] together = unary(function, x);
    for (int i = 0; i < x.length; i++) {
      float[] alone = unary(function, new float[] {x[i]});
      assertEquals(together[i], alone[0], kind + " of " + x[i]);
    }
  }

  @Test
  void anOutputMayLieOnItsInput() {
    int width = 37;
    float[] x = values(2 * width);
    MemorySegment scale = floats(values(width));
    MemorySegment zeros = floats(width);
    MemorySegment apart = floats(2 * width);
    MemorySegment dims = longs(2, width);
    MemorySegment dense = longs(width, 1);
    MemorySegment row = longs(0, 1);
    float[] expected =
        sameOnEveryIsa(
            () -> {
              chain(floats(x), apart, scale, zeros, width, dims, dense, row);
              return array(apart);
            });
    float[] inPlace =
        sameOnEveryIsa(
            () -> {
              MemorySegment both = floats(x);
              chain(both, both, scale, zeros, width, dims, dense, row);
              return array(both);
            });
    assertArrayEquals(expected, inPlace);
  }

  private static void chain(
      MemorySegment x,
      MemorySegment y,
      MemorySegment scale,
      MemorySegment zeros,
      int width,
      MemorySegment dims,
      MemorySegment dense,
      MemorySegment row) {
    int mul = Op.Binary.Function.MUL.ordinal();
    FloatKernels.layerNormF32(x, scale, zeros, 1e-5f, y, 2, width);
    FloatKernels.softmaxF32(y, y, 2, width);
    FloatKernels.binaryF32(mul, 2, dims, dense, row, y, scale, y);
    FloatKernels.unaryF32(Activation.Kind.TANH.ordinal(), 0, 0, y, y, 2L * width);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 5", "2, 3, 32", "12, 17, 33", "3, 40, 64"})
  void copiesPermuteAxes(int p, int q, int r) {
    for (int size : new int[] {4, 8}) {
      var source = new long[2 * p * q * r];
      Arrays.setAll(source, i -> random.nextInt());
      long[] dims = {2, p, q, r};
      long[] from = {(long) p * q * r, (long) q * r, r, 1};
      for (int[] order : new int[][] {{0, 1, 2, 3}, {0, 2, 1, 3}, {0, 3, 1, 2}, {3, 2, 1, 0}}) {
        var to = new long[4];
        long run = 1;
        for (int i = 3; i >= 0; i--) {
          to[order[i]] = run;
          run *= dims[order[i]];
        }
        var expected = new long[source.length];
        for (int i = 0; i < source.length; i++) {
          expected[ReferenceFloatKernels.offset(i, dims, to)] = source[i];
        }
        MemorySegment in = size == 8 ? longs(source) : ints(source);
        MemorySegment out = arena.allocate((long) size * source.length, 64);
        for (Isa isa : NativeLibrary.loaded().probed().included()) {
          NativeLibrary.loaded().use(isa);
          out.fill((byte) 0);
          FloatKernels.copy(size, 4, longs(dims), longs(from), longs(to), in, out);
          MemorySegment wanted = size == 8 ? longs(expected) : ints(expected);
          assertEquals(-1, wanted.mismatch(out), Arrays.toString(order));
        }
      }
    }
  }

  @Test
  void slicesMayRunBackwardsAndRepeat() {
    MemorySegment x = floats(new float[] {0, 1, 2, 3, 4, 5});
    MemorySegment y = floats(6);
    float[] backwards =
        sameOnEveryIsa(
            () -> {
              MemorySegment last = x.asSlice(5 * Float.BYTES);
              FloatKernels.copy(4, 2, longs(3, 2), longs(-2, 0), longs(2, 1), last, y);
              return array(y);
            });
    assertArrayEquals(new float[] {5, 5, 3, 3, 1, 1}, backwards);
  }

  @Test
  void takingRowsCountsNegativeIndicesFromTheEndAndReportsBadOnes() {
    MemorySegment x = floats(new float[] {0, 1, 10, 11, 20, 21});
    MemorySegment y = floats(4);
    float[] taken =
        sameOnEveryIsa(
            () -> {
              assertEquals(0, FloatKernels.take(4, 1, 3, 2, longs(-1, 1), 2, x, y));
              return array(y);
            });
    assertArrayEquals(new float[] {20, 21, 10, 11}, taken);
    assertEquals(-1, FloatKernels.take(4, 1, 3, 2, longs(0, 3), 2, x, y));
    assertEquals(-1, FloatKernels.take(4, 1, 3, 2, longs(0, -4), 2, x, y));
  }

  @Test
  void resizingBlendsRowsThenColumns() {
    MemorySegment x = floats(new float[] {0, 10, 20, 30});
    MemorySegment y = floats(3);
    float[] actual =
        sameOnEveryIsa(
            () -> {
              FloatKernels.resizeF32(
                  1,
                  2,
                  2,
                  1,
                  1,
                  3,
                  longs(0),
                  longs(1),
                  floats(new float[] {0.25f}),
                  longs(0, 0, 1),
                  longs(0, 1, 1),
                  floats(new float[] {0, 0.5f, 0}),
                  x,
                  y);
              return array(y);
            });
    assertArrayEquals(new float[] {5, 10, 15}, actual);
  }

  @Test
  void castsAreThoseOfJava() {
    float[] x = {
      0,
      -0.9f,
      2.5f,
      -7.99f,
      1e10f,
      1e30f,
      -1e30f,
      Float.NaN,
      Float.POSITIVE_INFINITY,
      Float.NEGATIVE_INFINITY,
      16777216,
      -9.223372e18f,
      9.223372e18f,
      3,
      4,
      5,
      6
    };
    MemorySegment whole = arena.allocate(8L * x.length, 8);
    for (Isa isa : NativeLibrary.loaded().probed().included()) {
      NativeLibrary.loaded().use(isa);
      FloatKernels.castF32I64(floats(x), whole, x.length);
      for (int i = 0; i < x.length; i++) {
        assertEquals((long) x[i], whole.getAtIndex(JAVA_LONG, i), "%s on %s".formatted(x[i], isa));
      }
    }
    long[] back = random.longs(33).map(value -> value >> random.nextInt(60)).toArray();
    MemorySegment y = floats(back.length);
    float[] actual =
        sameOnEveryIsa(
            () -> {
              FloatKernels.castI64F32(longs(back), y, back.length);
              return array(y);
            });
    for (int i = 0; i < back.length; i++) {
      assertEquals((float) back[i], actual[i]);
    }
  }

  // ---- calls and memory ----------------------------------------------------------------------

  /// The result of `call`, which must be the same to the last bit on every instruction set.
  private static float[] sameOnEveryIsa(Supplier<float[]> call) {
    NativeLibrary.loaded().use(Isa.SCALAR);
    float[] expected = call.get();
    for (Isa isa : NativeLibrary.loaded().probed().included()) {
      NativeLibrary.loaded().use(isa);
      assertArrayEquals(expected, call.get(), isa.toString());
    }
    return expected;
  }

  private float[] matmul(
      int batch,
      int m,
      int n,
      int k,
      float[] a,
      float[] b,
      boolean transposed,
      float[] bias,
      float[] residual,
      Activation activation) {
    MemorySegment out = floats(batch * m * n);
    MemorySegment epilogue = arena.allocate(Structs.epilogueBytes(), 8);
    MemorySegment added = residual.length == 0 ? MemorySegment.NULL : floats(residual);
    Structs.epilogue(epilogue, floats(bias), added, n, activation, out, n);
    MemorySegment scratch = arena.allocate(FloatKernels.matmulScratch(n, k), 64);
    FloatKernels.matmulF32(
        batch,
        m,
        n,
        k,
        floats(a),
        k,
        (long) m * k,
        floats(b),
        transposed ? k : n,
        (long) k * n,
        transposed ? 1 : 0,
        epilogue,
        (long) m * n,
        scratch);
    return array(out);
  }

  private float[] unary(Activation function, float[] x) {
    MemorySegment in = floats(x);
    MemorySegment out = floats(x.length);
    return sameOnEveryIsa(
        () -> {
          FloatKernels.unaryF32(
              function.kind().ordinal(), function.alpha(), function.beta(), in, out, x.length);
          return array(out);
        });
  }

  private float[] binary(
      Op.Binary.Function kind, long[] dims, long[][] strides, float[] a, float[] b) {
    MemorySegment y = floats((int) Arrays.stream(dims).reduce(1, (p, q) -> p * q));
    MemorySegment shape = longs(dims);
    MemorySegment left = floats(a);
    MemorySegment right = floats(b);
    return sameOnEveryIsa(
        () -> {
          FloatKernels.binaryF32(
              kind.ordinal(),
              dims.length,
              shape,
              longs(strides[0]),
              longs(strides[1]),
              left,
              right,
              y);
          return array(y);
        });
  }

  private static void assertNear(
      double expected, float actual, double relative, double absolute, String text) {
    float rounded = (float) expected;
    if (Float.isNaN(rounded) || Float.isInfinite(rounded) || rounded == 0) {
      boolean tiny = rounded == 0 && Math.abs(actual) <= Math.max(absolute, Float.MIN_VALUE);
      assertTrue(tiny || Float.compare(rounded, actual) == 0, text + " is " + actual);
    } else {
      double bound = Math.max(Math.abs(expected) * relative, Math.max(absolute, Float.MIN_VALUE));
      assertEquals(expected, actual, bound, text);
    }
  }

  private MemorySegment window(
      ReferenceFloatKernels.Images images, Op.Window window, boolean ceil) {
    MemorySegment at = arena.allocate(Structs.windowBytes(), 8);
    Structs.window(
        at,
        images.samples(),
        images.height(),
        images.width(),
        images.channels(),
        window.outputHeight(images.height(), ceil),
        window.outputWidth(images.width(), ceil),
        window);
    return at;
  }

  private ReferenceFloatKernels.Images images(int samples, int height, int width, int channels) {
    return new ReferenceFloatKernels.Images(
        samples, height, width, channels, values(samples * height * width * channels));
  }

  private float gaussian() {
    return (float) random.nextGaussian();
  }

  private float[] values(int count) {
    var values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = gaussian();
    }
    return values;
  }

  private static float[] concat(float[] a, float[] b) {
    float[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static float[] array(MemorySegment floats) {
    return floats.toArray(JAVA_FLOAT);
  }

  private MemorySegment floats(int count) {
    return arena.allocate((long) count * Float.BYTES, Float.BYTES);
  }

  private MemorySegment floats(float[] values) {
    return arena.allocateFrom(JAVA_FLOAT, values);
  }

  private MemorySegment longs(long... values) {
    return arena.allocateFrom(JAVA_LONG, values);
  }

  private MemorySegment ints(long[] values) {
    MemorySegment ints = arena.allocate(4L * values.length, 4);
    for (int i = 0; i < values.length; i++) {
      ints.setAtIndex(JAVA_INT, i, (int) values[i]);
    }
    return ints;
  }
}
