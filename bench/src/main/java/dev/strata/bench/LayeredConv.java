package dev.strata.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.strata.graph.Activation;
import dev.strata.graph.Op;
import dev.strata.kernel.NativeKernels;
import dev.strata.kernel.Structs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Our 3x3 convolution, from codes to codes: convolves, scales, adds the bias, ReLU, quantizes for
/// the next layer; of few bits, packs the codes to bit-planes first.
final class LayeredConv implements Contender {
  private static final Op.Window SAME = new Op.Window(3, 3, 1, 1, 1, 1, 1, 1, 1, 1);

  private final PlaneWeights weights;
  private final int bits;
  private final int activationBits;
  private final int size;
  private final int channels;
  private final boolean depthwise;
  private final MemorySegment struct;
  private final MemorySegment window;
  private final MemorySegment x;
  private final MemorySegment planes;
  private final MemorySegment scale;
  private final MemorySegment pads;
  private final MemorySegment out;
  private final MemorySegment codes;
  private final MemorySegment sums;
  private final MemorySegment epilogue;
  private final MemorySegment scratch;

  /// @param weights of `9 * channels` columns, or of 9 for one filter per channel
  /// @param x `[size][size][channels]` codes
  LayeredConv(
      Arena arena, PlaneWeights weights, int bits, int activationBits, int size, MemorySegment x) {
    this.weights = weights;
    this.bits = bits;
    this.activationBits = activationBits;
    this.size = size;
    this.x = x;
    channels = weights.layout().rows();
    depthwise = weights.layout().columns() == 9;
    long pixels = (long) size * size;
    struct = weights.struct(arena, 0, bits);
    window = arena.allocate(Structs.windowBytes(), 64);
    Structs.window(window, 1, size, size, channels, size, size, SAME);
    planes = arena.allocate(pixels * channels / 8 * activationBits, 64);
    scale = Memory.floats(arena, 1, _ -> 0.5f);
    pads = arena.allocate(channels, 64);
    out = arena.allocate(pixels * channels * Float.BYTES, 64);
    codes = arena.allocate(pixels * channels, 64);
    sums = arena.allocate(pixels * Integer.BYTES, 64);
    epilogue = arena.allocate(Structs.epilogueBytes(), 64);
    Structs.epilogue(
        epilogue, weights.bias(), MemorySegment.NULL, 0, Activation.RELU, out, channels);
    long room =
        activationBits < 8
            ? NativeKernels.convBitserialScratch(struct, 1, window, activationBits)
            : NativeKernels.convScratch(struct, 1, window);
    scratch = arena.allocate(Math.max(64, room), 64);
  }

  @Override
  public void run(int copy) {
    long pixels = (long) size * size;
    if (depthwise) {
      NativeKernels.depthwise(struct, window, x, scale, pads, epilogue);
    } else if (activationBits < 8) {
      NativeKernels.packPlanes(x, pixels, channels, activationBits, planes);
      NativeKernels.convBitserial(
          struct, 1, window, activationBits, planes, scale, 0, epilogue, scratch);
    } else {
      NativeKernels.conv(struct, 1, window, x, scale, 0, epilogue, scratch);
    }
    int high = activationBits < 8 ? (1 << activationBits) - 1 : 127;
    NativeKernels.quantizeStatic(
        out, channels, pixels, channels, channels, channels, 8, 0, 0, high, codes, sums);
  }

  @Override
  public double output(int row, int channel) {
    return Memory.at(out, (long) row * channels + channel);
  }

  @Override
  public double expected(int row, int channel) {
    return Convolution.sum(
        row,
        size,
        (pixel, tap) -> {
          double sum = 0;
          for (int c = 0; c < (depthwise ? 1 : channels); c++) {
            int from = depthwise ? channel : c;
            int column = depthwise ? tap : tap * channels + c;
            sum +=
                weights.centred(channel, column, bits)
                    * x.get(JAVA_BYTE, (long) pixel * channels + from);
          }
          return sum * 0.5 * PlaneWeights.SCALE;
        },
        weights.bias(channel));
  }

  @Override
  public double tolerance() {
    return 1e-4;
  }
}
