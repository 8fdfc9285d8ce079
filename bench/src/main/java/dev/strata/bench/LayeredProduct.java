package dev.strata.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.strata.graph.Activation;
import dev.strata.kernel.NativeKernels;
import dev.strata.kernel.Structs;
import dev.strata.precision.PlaneLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Our matrix product, from floats to floats: quantizes the activations, multiplies, scales, adds
/// the bias, ReLU.
final class LayeredProduct implements Contender {
  private static final Activation RELU = Activation.RELU;

  /// The step between two codes where it is known beforehand.
  private static final float STEP = 0.5f;

  /// Which kernel.
  enum Path {
    STREAM,
    BLOCK,
    BITSERIAL,
    CODEBOOK,
    ADDER
  }

  private final Path path;
  private final PlaneWeights weights;
  private final PlaneLayout layout;
  private final int bits;
  private final int activationBits;
  private final int count;
  private final MemorySegment x;
  private final MemorySegment codes;
  private final MemorySegment planes;
  private final MemorySegment sums;
  private final MemorySegment scale;
  private final MemorySegment rows;
  private final MemorySegment out;
  private final MemorySegment epilogue;
  private final MemorySegment scratch;
  private final MemorySegment codebook;
  private final List<MemorySegment> structs = new ArrayList<>();

  /// @param x `[count][columns]` floats
  LayeredProduct(
      Arena arena,
      Path path,
      PlaneWeights weights,
      int bits,
      int activationBits,
      int count,
      MemorySegment x) {
    this.path = path;
    this.weights = weights;
    this.layout = weights.layout();
    this.bits = bits;
    this.activationBits = activationBits;
    this.count = count;
    this.x = x;
    int columns = layout.paddedColumns();
    codes = arena.allocate((long) count * columns, 64);
    planes = arena.allocate((long) count * activationBits * columns / 8, 64);
    sums = arena.allocate((long) count * layout.groups() * Integer.BYTES, 64);
    scale = Memory.floats(arena, (long) count * layout.groups(), _ -> STEP);
    rows = arena.allocate(Structs.rowsBytes(), 64);
    Structs.rows(
        rows, path == Path.BITSERIAL ? planes : codes, sums, scale, count, layout.groups());
    out = arena.allocate((long) count * layout.rows() * Float.BYTES, 64);
    epilogue = arena.allocate(Structs.epilogueBytes(), 64);
    Structs.epilogue(epilogue, weights.bias(), MemorySegment.NULL, 0, RELU, out, layout.rows());
    for (int copy = 0; copy < weights.copyCount(); copy++) {
      structs.add(weights.struct(arena, copy, bits));
    }
    scratch = arena.allocate(NativeKernels.bitserialScratch(structs.getFirst()), 64);
    codebook = arena.allocate(256, 64);
    int half = 1 << (bits - 1);
    for (int code = 0; code < 1 << bits; code++) {
      int power = code % half == 0 ? 0 : 1 << Math.min(6, code % half - 1);
      codebook.set(JAVA_BYTE, code, (byte) (code < half ? power : -power));
    }
  }

  @Override
  public void run(int copy) {
    int columns = layout.columns();
    if (path == Path.BITSERIAL) {
      quantize(columns, 0, (1 << activationBits) - 1);
      NativeKernels.packPlanes(codes, count, layout.paddedColumns(), activationBits, planes);
    } else if (path == Path.ADDER) {
      quantize(columns, -128, 127);
    } else {
      NativeKernels.quantizeRows(
          x,
          columns,
          count,
          columns,
          layout.paddedColumns(),
          layout.groupSize(),
          codes,
          sums,
          scale);
    }
    MemorySegment struct = structs.get(copy);
    switch (path) {
      case STREAM -> NativeKernels.stream(struct, rows, epilogue);
      case BLOCK -> NativeKernels.block(struct, rows, epilogue, scratch);
      case BITSERIAL -> NativeKernels.bitserial(struct, rows, activationBits, epilogue, scratch);
      case CODEBOOK -> NativeKernels.codebook(struct, codebook, rows, epilogue, scratch);
      case ADDER -> NativeKernels.adder(struct, columns, rows, epilogue, scratch);
    }
  }

  private void quantize(int columns, int low, int high) {
    NativeKernels.quantizeStatic(
        x,
        columns,
        count,
        columns,
        layout.paddedColumns(),
        layout.groupSize(),
        1 / STEP,
        0,
        low,
        high,
        codes,
        sums);
  }

  @Override
  public double output(int row, int channel) {
    return Memory.at(out, (long) row * layout.rows() + channel);
  }

  @Override
  public double expected(int row, int channel) {
    double sum = 0;
    for (int column = 0; column < layout.columns(); column++) {
      int q = codes.get(JAVA_BYTE, (long) row * layout.paddedColumns() + column);
      long group = (long) row * layout.groups() + column / layout.groupSize();
      sum += Memory.at(scale, group) * term(channel, column, q);
    }
    // Distances count without the step.
    double value = PlaneWeights.SCALE * (path == Path.ADDER ? sum / STEP : sum);
    return Math.max(0, value + weights.bias(channel));
  }

  private int term(int channel, int column, int q) {
    return switch (path) {
      case STREAM, BLOCK, BITSERIAL -> weights.centred(channel, column, bits) * q;
      case CODEBOOK -> codebook.get(JAVA_BYTE, weights.code(channel, column) >> (8 - bits)) * q;
      case ADDER -> -Math.abs(weights.code(channel, column) - 128 - q);
    };
  }

  @Override
  public double tolerance() {
    return 1e-4;
  }
}
