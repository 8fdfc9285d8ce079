package dev.strata.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.strata.graph.Activation;
import dev.strata.graph.Op;
import dev.strata.precision.PlaneCodec;
import dev.strata.precision.PlaneLayout;
import dev.strata.precision.TernaryCodes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Every kernel of every instruction set this machine has, against [ReferenceKernels], bit for bit.
class NativeKernelsTest {

  private static final int[] EDGES = {1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127};
  private static final Activation[] ACTIVATIONS = {
    Activation.IDENTITY, Activation.RELU, new Activation(Activation.Kind.CLIP, -0.5f, 6)
  };

  private final Arena arena = Arena.ofConfined();
  private final long seed = Long.getLong("strata.seed", new Random().nextLong(1_000_000));
  private final Random random = new Random(seed);

  static Stream<Isa> instructionSets() {
    return NativeLibrary.loaded().probed().included().stream();
  }

  static Stream<Arguments> instructionSetsAndWidths() {
    return instructionSets()
        .flatMap(isa -> IntStream.rangeClosed(1, 8).mapToObj(bits -> Arguments.of(isa, bits)));
  }

  @BeforeEach
  void printSeed() {
    System.out.println("strata.seed=" + seed);
  }

  @AfterEach
  void restoreInstructionSet() {
    NativeLibrary.loaded().use(NativeLibrary.loaded().chosen());
    arena.close();
  }

  @ParameterizedTest
  @MethodSource("instructionSetsAndWidths")
  void streamAndBlockEqualTheReference(Isa isa, int bits) {
    assertEquals(isa, NativeLibrary.loaded().use(isa));
    for (int rows : EDGES) {
      int group = 32 * (1 + random.nextInt(3));
      var layout = new PlaneLayout(rows, 1 + random.nextInt(4 * group), group, 1);
      var matrix = matrix(layout, bits, random.nextInt(4));
      int count = random.nextInt(20);
      int[][] codes = codes(count, layout, -128, 127);
      float[] scale = floats(count * layout.groups());
      float[] residual = floats(count * rows);
      Activation activation = ACTIVATIONS[random.nextInt(ACTIVATIONS.length)];
      float[] expected = ReferenceKernels.product(matrix, codes, scale, residual, activation);

      MemorySegment weights = weights(List.of(matrix));
      MemorySegment x = rows(bytes(codes), codes, layout, scale);
      MemorySegment out = arena.allocate(JAVA_FLOAT, (long) count * rows + 1);
      MemorySegment epilogue = epilogue(matrix.bias(), residual, activation, out, rows);
      NativeKernels.stream(weights, x, epilogue);
      assertSame(expected, out, "stream " + layout);
      out.fill((byte) 1);
      long scratch = NativeKernels.blockScratch(weights);
      NativeKernels.block(weights, x, epilogue, arena.allocate(scratch, 64));
      assertSame(expected, out, "block " + layout);
    }
  }

  @ParameterizedTest
  @MethodSource("instructionSetsAndWidths")
  void codebooksEqualTheReference(Isa isa, int bits) {
    NativeLibrary.loaded().use(isa);
    for (int rows : EDGES) {
      int group = 32 * (1 + random.nextInt(3));
      var layout = new PlaneLayout(rows, 1 + random.nextInt(4 * group), group, 1);
      var matrix = matrix(layout, bits, random.nextInt(4));
      int count = random.nextInt(20);
      int[][] codes = codes(count, layout, -128, 127);
      float[] scale = floats(count * layout.groups());
      float[] residual = floats(count * rows);
      byte[] codebook = new byte[1 << bits];
      random.nextBytes(codebook);
      for (int halvings = random.nextInt(3), i = 0; i < codebook.length; i++) {
        codebook[i] = (byte) (codebook[i] >> halvings);
      }
      float[] expected =
          ReferenceKernels.codebook(matrix, codebook, codes, scale, residual, Activation.RELU);
      MemorySegment weights = weights(List.of(matrix));
      MemorySegment out = arena.allocate(JAVA_FLOAT, (long) count * rows + 1);
      NativeKernels.codebook(
          weights,
          arena.allocateFrom(JAVA_BYTE, codebook),
          rows(bytes(codes), codes, layout, scale),
          epilogue(matrix.bias(), residual, Activation.RELU, out, rows),
          arena.allocate(NativeKernels.blockScratch(weights), 64));
      assertSame(expected, out, "codebook " + layout);
    }
  }

  @ParameterizedTest
  @MethodSource("instructionSetsAndWidths")
  void addersEqualTheReference(Isa isa, int bits) {
    NativeLibrary.loaded().use(isa);
    for (int rows : EDGES) {
      var layout = new PlaneLayout(rows, 1 + random.nextInt(700), 32, 1);
      var matrix = matrix(layout, bits, random.nextInt(4));
      int count = random.nextInt(20);
      int[][] codes = codes(count, layout, -128, 127);
      for (int[] row : codes) {
        Arrays.fill(row, layout.columns(), row.length, 0);
      }
      float[] residual = floats(count * rows);
      float[] expected = ReferenceKernels.adder(matrix, codes, residual, Activation.IDENTITY);
      MemorySegment weights = weights(List.of(matrix));
      MemorySegment out = arena.allocate(JAVA_FLOAT, (long) count * rows + 1);
      NativeKernels.adder(
          weights,
          layout.columns(),
          rows(bytes(codes), codes, layout, floats(count * layout.groups())),
          epilogue(matrix.bias(), residual, Activation.IDENTITY, out, rows),
          arena.allocate(NativeKernels.blockScratch(weights), 64));
      assertSame(expected, out, "adder " + layout);
    }
  }

  /// Both ways of docs/kernels.md; scales are powers of two, so that floats hold every sum.
  @ParameterizedTest
  @MethodSource("instructionSets")
  void ternaryWeightsAreSumsAndDifferencesOfActivations(Isa isa) {
    NativeLibrary.loaded().use(isa);
    var layout = new PlaneLayout(37, 150, 64, 1);
    byte[] signs = new byte[layout.rows() * layout.columns()];
    for (int i = 0; i < signs.length; i++) {
      signs[i] = (byte) (random.nextInt(3) - 1);
    }
    byte[][] planes =
        PlaneCodec.encode(TernaryCodes.encode(signs), layout).stream()
            .limit(TernaryCodes.PLANES)
            .toArray(byte[][]::new);
    float alpha = 0.25f;
    byte[] groups = new byte[(int) layout.groupTableBytes()];
    Arrays.fill(groups, (byte) 1);
    int[][] codes = codes(9, layout, 0, 3);
    for (int[] row : codes) {
      Arrays.fill(row, layout.columns(), row.length, 0);
    }
    float[] ones = new float[codes.length * layout.groups()];
    Arrays.fill(ones, 1);
    float[] expected = new float[codes.length * layout.rows()];
    for (int i = 0; i < expected.length; i++) {
      int row = i % layout.rows();
      int sum = 0;
      for (int j = 0; j < layout.columns(); j++) {
        sum += signs[row * layout.columns() + j] * codes[i / layout.rows()][j];
      }
      expected[i] = alpha * sum;
    }
    float[] none = new float[layout.paddedRows()];
    var layered =
        new ReferenceKernels.Matrix(
            layout,
            TernaryCodes.PLANES,
            planes,
            groups,
            filled(layout.paddedRows(), TernaryCodes.scale(alpha)),
            filled(layout.paddedRows(), TernaryCodes.offset(alpha)),
            none);
    var table =
        new ReferenceKernels.Matrix(
            layout,
            TernaryCodes.PLANES,
            planes,
            groups,
            filled(layout.paddedRows(), alpha),
            none,
            none);
    MemorySegment out = arena.allocate(JAVA_FLOAT, expected.length);
    MemorySegment epilogue =
        epilogue(none, new float[expected.length], Activation.IDENTITY, out, layout.rows());
    MemorySegment rows = rows(bytes(codes), codes, layout, ones);
    MemorySegment weights = weights(List.of(layered));
    MemorySegment scratch = arena.allocate(NativeKernels.blockScratch(weights), 64);

    NativeKernels.stream(weights, rows, epilogue);
    assertSame(expected, out, "stream");
    NativeKernels.block(weights, rows, epilogue, scratch);
    assertSame(expected, out, "block");
    MemorySegment packed =
        arena.allocate(JAVA_INT, (long) codes.length * TernaryCodes.PLANES * layout.blocks());
    NativeKernels.packPlanes(
        bytes(codes), codes.length, layout.paddedColumns(), TernaryCodes.PLANES, packed);
    MemorySegment bits = arena.allocate(NativeKernels.bitserialScratch(weights), 64);
    NativeKernels.bitserial(weights, rows(packed, codes, layout, ones), 2, epilogue, bits);
    assertSame(expected, out, "bitserial");
    NativeKernels.codebook(
        weights(List.of(table)),
        arena.allocateFrom(JAVA_BYTE, TernaryCodes.codebook()),
        rows,
        epilogue,
        scratch);
    assertSame(expected, out, "codebook");
  }

  @ParameterizedTest
  @MethodSource("instructionSetsAndWidths")
  void bitSerialEqualsTheReference(Isa isa, int bits) {
    NativeLibrary.loaded().use(isa);
    for (int abits = 1; abits <= 8; abits++) {
      int rows = EDGES[random.nextInt(EDGES.length)];
      var layout = new PlaneLayout(rows, 1 + random.nextInt(200), 64, 1);
      var matrix = matrix(layout, bits, 3);
      int count = 1 + random.nextInt(10);
      int[][] codes = codes(count, layout, 0, (1 << abits) - 1);
      float[] scale = floats(count * layout.groups());
      float[] residual = floats(count * rows);
      float[] expected =
          ReferenceKernels.product(matrix, codes, scale, residual, Activation.IDENTITY);

      int words = abits * layout.blocks();
      MemorySegment planes = arena.allocate(JAVA_INT, (long) count * words);
      NativeKernels.packPlanes(bytes(codes), count, layout.paddedColumns(), abits, planes);
      for (int m = 0; m < count; m++) {
        assertArrayEquals(
            ReferenceKernels.planes(codes[m], abits),
            planes.asSlice(4L * m * words, 4L * words).toArray(JAVA_INT),
            "planes of " + abits + " bits");
      }
      MemorySegment out = arena.allocate(JAVA_FLOAT, (long) count * rows);
      MemorySegment weights = weights(List.of(matrix));
      NativeKernels.bitserial(
          weights,
          rows(planes, codes, layout, scale),
          abits,
          epilogue(matrix.bias(), residual, Activation.IDENTITY, out, rows),
          arena.allocate(NativeKernels.bitserialScratch(weights), 64));
      assertSame(expected, out, "bitserial with %d-bit activations %s".formatted(abits, layout));
    }
  }

  @ParameterizedTest
  @MethodSource("instructionSetsAndWidths")
  void gatheredRowsAreTheWeights(Isa isa, int bits) {
    NativeLibrary.loaded().use(isa);
    var layout = new PlaneLayout(50, 150, 64, 1);
    var matrix = matrix(layout, bits, 3);
    long[] ids = {0, 49, 17, 16, 15, 49};
    float[] expected = new float[ids.length * 150];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = matrix.weight((int) ids[i / 150], i % 150);
    }
    MemorySegment out = arena.allocate(JAVA_FLOAT, expected.length);
    MemorySegment rows = arena.allocateFrom(JAVA_LONG, ids);
    NativeKernels.gather(weights(List.of(matrix)), rows, ids.length, 150, out, 150);
    assertSame(expected, out, "gather");
  }

  @ParameterizedTest
  @MethodSource("instructionSetsAndWidths")
  void convolutionsEqualWindowsTimesTheMatrix(Isa isa, int bits) {
    NativeLibrary.loaded().use(isa);
    for (int channels : new int[] {11, 12, 32, 64}) {
      convolutionEqualsWindowsTimesTheMatrix(bits, 0, 1, channels);
      convolutionEqualsWindowsTimesTheMatrix(bits, 0, 3, channels);
    }
  }

  @ParameterizedTest
  @MethodSource("instructionSetsAndWidths")
  void bitSerialConvolutionsEqualWindowsTimesTheMatrix(Isa isa, int bits) {
    NativeLibrary.loaded().use(isa);
    for (int abits = 1; abits <= 4; abits++) {
      convolutionEqualsWindowsTimesTheMatrix(bits, abits, 1, 64);
      convolutionEqualsWindowsTimesTheMatrix(bits, abits, 3, 32);
    }
  }

  private void convolutionEqualsWindowsTimesTheMatrix(
      int bits, int abits, int submatrices, int channels) {
    Op.Window window = window();
    int columns = window.kernelHeight() * window.kernelWidth() * channels;
    int rows = 1 + random.nextInt(40);
    int group = random.nextBoolean() ? 32 : PlaneLayout.roundUp(columns, 32);
    var image = image(2, 7, 6, channels * submatrices);
    int padCode = -7;
    if (abits > 0) {
      padCode = random.nextInt(1 << abits);
      for (int i = 0; i < image.codes().length; i++) {
        image.codes()[i] &= (byte) ((1 << abits) - 1);
      }
    }
    List<ReferenceKernels.Matrix> matrices = new ArrayList<>();
    int padded = PlaneLayout.roundUp(rows, 16);
    float[] bias = new float[padded * submatrices];
    for (int i = 0; i < submatrices; i++) {
      matrices.add(matrix(new PlaneLayout(rows, columns, group, 1), bits, 3));
      System.arraycopy(matrices.get(i).bias(), 0, bias, i * padded, padded);
    }
    int positions = 2 * (int) (window.outputHeight(7, false) * window.outputWidth(6, false));
    float[] sampleScale = floats(2);
    int width = rows * submatrices;
    float[] residual = floats(positions * width);
    float[] expected = new float[positions * width];
    for (int i = 0; i < submatrices; i++) {
      int[][] codes =
          ReferenceKernels.windows(
              image,
              window,
              i * channels,
              channels,
              padCode,
              matrices.get(i).layout().paddedColumns());
      for (int m = 0; m < positions; m++) {
        float[] scale = new float[matrices.get(i).layout().groups()];
        Arrays.fill(scale, sampleScale[m / (positions / 2)]);
        for (int c = 0; c < rows; c++) {
          int at = m * width + i * rows + c;
          float value = matrices.get(i).output(c, codes[m], scale) + residual[at];
          expected[at] = ReferenceKernels.activate(Activation.RELU, value);
        }
      }
    }
    MemorySegment out = arena.allocate(JAVA_FLOAT, expected.length);
    MemorySegment weights = weights(matrices);
    MemorySegment shape = shape(image, window);
    MemorySegment x = arena.allocateFrom(JAVA_BYTE, image.codes());
    MemorySegment scale = arena.allocateFrom(JAVA_FLOAT, sampleScale);
    MemorySegment epilogue = epilogue(bias, residual, Activation.RELU, out, width);
    if (abits == 0) {
      MemorySegment scratch =
          arena.allocate(NativeKernels.convScratch(weights, submatrices, shape), 64);
      NativeKernels.conv(weights, submatrices, shape, x, scale, padCode, epilogue, scratch);
    } else {
      int codes = image.codes().length;
      MemorySegment planes = arena.allocate((long) codes * abits / Byte.SIZE, 4);
      NativeKernels.packPlanes(x, 2 * 7 * 6, image.channels(), abits, planes);
      MemorySegment scratch =
          arena.allocate(
              NativeKernels.convBitserialScratch(weights, submatrices, shape, abits), 64);
      NativeKernels.convBitserial(
          weights, submatrices, shape, abits, planes, scale, padCode, epilogue, scratch);
    }
    assertSame(
        expected,
        out,
        "conv of %d groups, %d-bit planes, %s".formatted(submatrices, abits, window));
  }

  @ParameterizedTest
  @MethodSource("instructionSetsAndWidths")
  void depthwiseConvolutionsEqualTheReference(Isa isa, int bits) {
    NativeLibrary.loaded().use(isa);
    for (int channels : EDGES) {
      int kernel = 1 + random.nextInt(5);
      var window = new Op.Window(kernel, kernel, 1, 2, 1, 1, kernel / 2, kernel / 2, 1, 1);
      var image = image(1, 6, 7, channels);
      var layout = PlaneLayout.perChannel(channels, kernel * kernel, 1);
      var matrix = matrix(layout, bits, 3);
      int positions = (int) (window.outputHeight(6, false) * window.outputWidth(7, false));
      float[] scale = floats(1);
      float[] residual = floats(positions * channels);
      float[] expected = new float[positions * channels];
      byte[] pads = new byte[channels];
      random.nextBytes(pads);
      for (int c = 0; c < channels; c++) {
        int[][] codes =
            ReferenceKernels.windows(image, window, c, 1, pads[c], layout.paddedColumns());
        for (int m = 0; m < positions; m++) {
          int at = m * channels + c;
          expected[at] = matrix.output(c, codes[m], scale) + residual[at];
        }
      }
      MemorySegment out = arena.allocate(JAVA_FLOAT, expected.length);
      NativeKernels.depthwise(
          weights(List.of(matrix)),
          shape(image, window),
          arena.allocateFrom(JAVA_BYTE, image.codes()),
          arena.allocateFrom(JAVA_FLOAT, scale),
          arena.allocateFrom(JAVA_BYTE, pads),
          epilogue(matrix.bias(), residual, Activation.IDENTITY, out, channels));
      assertSame(expected, out, "depthwise of %d channels, kernel %d".formatted(channels, kernel));
    }
  }

  @Test
  void windowsOfFloatsAreLaidOut() {
    for (int channels : new int[] {1, 3, 4}) {
      for (int dilation : new int[] {1, 2}) {
        var window = new Op.Window(3, 3, 2, 1, dilation, dilation, 2, 3, 1, 2);
        var image = image(2, 7, 4, 4);
        int columns = 3 * 3 * channels;
        int[][] expected =
            ReferenceKernels.windows(image, window, 4 - channels, channels, 0, columns);
        float[] x = new float[image.codes().length];
        for (int i = 0; i < x.length; i++) {
          x[i] = image.codes()[i];
        }
        long values = (long) expected.length * columns;
        MemorySegment floats = arena.allocate(JAVA_FLOAT, values);
        NativeKernels.im2colF32(
            shape(image, window),
            arena.allocateFrom(JAVA_FLOAT, x),
            4 - channels,
            channels,
            floats);
        for (int i = 0; i < values; i++) {
          assertEquals(expected[i / columns][i % columns], floats.getAtIndex(JAVA_FLOAT, i));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("instructionSets")
  void quantizersEqualTheReference(Isa isa) {
    NativeLibrary.loaded().use(isa);
    for (int width : EDGES) {
      var layout = new PlaneLayout(2, width, 32, 1);
      int columns = layout.paddedColumns();
      float[][] rows = {floats(width), new float[width]};
      MemorySegment x = arena.allocate(JAVA_FLOAT, 2L * width);
      MemorySegment.copy(rows[0], 0, x, JAVA_FLOAT, 0, width);
      MemorySegment codes = arena.allocate(2L * columns);
      MemorySegment sums = arena.allocate(JAVA_INT, 2L * layout.groups());
      MemorySegment scale = arena.allocate(JAVA_FLOAT, 2L * layout.groups());
      codes.fill((byte) 9);
      NativeKernels.quantizeRows(x, width, 2, width, columns, 32, codes, sums, scale);
      for (int m = 0; m < 2; m++) {
        int[] row = new int[columns];
        for (int group = 0; group < layout.groups(); group++) {
          float[] padded = Arrays.copyOf(rows[m], columns);
          float[] expected =
              ReferenceKernels.quantized(Arrays.copyOfRange(padded, group * 32, (group + 1) * 32));
          for (int j = 0; j < 32; j++) {
            int at = group * 32 + j;
            row[at] = codes.get(JAVA_BYTE, (long) m * columns + at);
            assertEquals((int) expected[j], row[at], "code %d of %d".formatted(at, width));
          }
          assertEquals(
              expected[32], scale.getAtIndex(JAVA_FLOAT, (long) m * layout.groups() + group));
        }
        assertArrayEquals(
            ReferenceKernels.groupSums(row, 32),
            sums.asSlice(4L * m * layout.groups(), 4L * layout.groups()).toArray(JAVA_INT));
      }
      NativeKernels.quantizeStatic(x, width, 1, width, columns, 32, 20, 3, 0, 15, codes, sums);
      for (int j = 0; j < width; j++) {
        double expected = Math.clamp(Math.rint(rows[0][j] * 20f) + 3, 0.0, 15.0);
        assertEquals(expected, codes.get(JAVA_BYTE, j), "static code %d".formatted(j));
      }
      float[] inverse = floats(width);
      byte[] zeros = new byte[width];
      random.nextBytes(zeros);
      for (int c = 0; c < width; c++) {
        inverse[c] = 300 * Math.abs(inverse[c]);
      }
      NativeKernels.quantizeChannels(
          x,
          1,
          width,
          arena.allocateFrom(JAVA_FLOAT, inverse),
          arena.allocateFrom(JAVA_BYTE, zeros),
          codes);
      for (int c = 0; c < width; c++) {
        double expected = Math.clamp(Math.rint(rows[0][c] * inverse[c]) + zeros[c], -128.0, 127.0);
        assertEquals(expected, codes.get(JAVA_BYTE, c), "channel %d of %d".formatted(c, width));
      }
    }
  }

  /// A window that fits an image of 7 by 6 pixels.
  private Op.Window window() {
    return new Op.Window(
        1 + random.nextInt(3),
        1 + random.nextInt(3),
        1 + random.nextInt(2),
        1 + random.nextInt(2),
        1 + random.nextInt(2),
        1 + random.nextInt(2),
        random.nextInt(3),
        random.nextInt(3),
        random.nextInt(3),
        random.nextInt(3));
  }

  private ReferenceKernels.Matrix matrix(PlaneLayout layout, int bits, int filling) {
    byte[][] planes = new byte[bits][(int) layout.planeBytes()];
    for (byte[] plane : planes) {
      random.nextBytes(plane);
      if (filling < 2) {
        Arrays.fill(plane, (byte) -filling);
      }
    }
    byte[] groups = new byte[(int) layout.groupTableBytes()];
    random.nextBytes(groups);
    int padded = layout.paddedRows();
    return new ReferenceKernels.Matrix(
        layout, bits, planes, groups, floats(padded), floats(padded), floats(padded));
  }

  private static float[] filled(int count, float value) {
    float[] values = new float[count];
    Arrays.fill(values, value);
    return values;
  }

  private float[] floats(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextFloat() * 2 - 1;
    }
    return values;
  }

  private int[][] codes(int count, PlaneLayout layout, int low, int high) {
    int[][] codes = new int[count][layout.paddedColumns()];
    for (int[] row : codes) {
      for (int j = 0; j < layout.columns(); j++) {
        row[j] = low + random.nextInt(high - low + 1);
      }
    }
    return codes;
  }

  private ReferenceKernels.Image image(int samples, int height, int width, int channels) {
    byte[] codes = new byte[samples * height * width * channels];
    random.nextBytes(codes);
    return new ReferenceKernels.Image(samples, height, width, channels, codes);
  }

  private MemorySegment bytes(int[][] codes) {
    int columns = codes.length == 0 ? 0 : codes[0].length;
    MemorySegment bytes = arena.allocate((long) codes.length * columns + 1);
    for (int m = 0; m < codes.length; m++) {
      for (int j = 0; j < columns; j++) {
        bytes.set(JAVA_BYTE, (long) m * columns + j, (byte) codes[m][j]);
      }
    }
    return bytes;
  }

  private MemorySegment weights(List<ReferenceKernels.Matrix> matrices) {
    MemorySegment structs = arena.allocate(Structs.weightsBytes() * matrices.size(), 8);
    for (int i = 0; i < matrices.size(); i++) {
      ReferenceKernels.Matrix matrix = matrices.get(i);
      Structs.weights(
          structs,
          i,
          Stream.of(matrix.planes()).map(plane -> arena.allocateFrom(JAVA_BYTE, plane)).toList(),
          matrix.layout().rows(),
          matrix.layout().paddedColumns(),
          matrix.layout().groupSize(),
          arena.allocateFrom(JAVA_BYTE, matrix.groups()),
          arena.allocateFrom(JAVA_FLOAT, matrix.scale()),
          arena.allocateFrom(JAVA_FLOAT, matrix.offset()));
    }
    return structs;
  }

  private MemorySegment rows(
      MemorySegment packed, int[][] codes, PlaneLayout layout, float[] scale) {
    int[] sums =
        Stream.of(codes)
            .flatMapToInt(row -> Arrays.stream(ReferenceKernels.groupSums(row, layout.groupSize())))
            .toArray();
    MemorySegment struct = arena.allocate(Structs.rowsBytes(), 8);
    Structs.rows(
        struct,
        packed,
        arena.allocateFrom(JAVA_INT, sums),
        arena.allocateFrom(JAVA_FLOAT, scale),
        codes.length,
        layout.groups());
    return struct;
  }

  private MemorySegment epilogue(
      float[] bias, float[] residual, Activation activation, MemorySegment out, long stride) {
    MemorySegment struct = arena.allocate(Structs.epilogueBytes(), 8);
    Structs.epilogue(
        struct,
        arena.allocateFrom(JAVA_FLOAT, bias),
        arena.allocateFrom(JAVA_FLOAT, residual),
        stride,
        activation,
        out,
        stride);
    return struct;
  }

  private MemorySegment shape(ReferenceKernels.Image image, Op.Window window) {
    MemorySegment struct = arena.allocate(Structs.windowBytes(), 8);
    Structs.window(
        struct,
        image.samples(),
        image.height(),
        image.width(),
        image.channels(),
        window.outputHeight(image.height(), false),
        window.outputWidth(image.width(), false),
        window);
    return struct;
  }

  private void assertSame(float[] expected, MemorySegment actual, String what) {
    float[] values = actual.asSlice(0, 4L * expected.length).toArray(JAVA_FLOAT);
    for (int i = 0; i < expected.length; i++) {
      int at = i;
      assertEquals(
          Float.floatToRawIntBits(expected[i]),
          Float.floatToRawIntBits(values[i]),
          () ->
              "%s, output %d: got %s, expected %s (strata.seed=%d)"
                  .formatted(what, at, values[at], expected[at], seed));
    }
  }
}
