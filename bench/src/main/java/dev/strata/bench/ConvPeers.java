package dev.strata.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import ai.onnxruntime.OrtException;
import dev.strata.onnx.AttributeProto;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// ONNX Runtime on a 3x3 convolution.
final class ConvPeers {
  private static final float X_SCALE = 0.5f;
  private static final float Y_SCALE = 1 / 8f;

  private final Arena arena;
  private final PlaneWeights weights;
  private final int size;
  private final int channels;
  private final boolean depthwise;
  private final MemorySegment x;

  /// Low bits of codes that ONNX Runtime's int8 weights do without.
  private final int cut = 8 - OrtPeer.WEIGHT_BITS;

  /// @param x `[size][size][channels]` signed codes
  ConvPeers(Arena arena, PlaneWeights weights, int size, MemorySegment x) {
    this.arena = arena;
    this.weights = weights;
    this.size = size;
    this.channels = weights.layout().rows();
    this.depthwise = weights.layout().columns() == 9;
    this.x = x;
  }

  private int taps() {
    return depthwise ? 1 : channels;
  }

  private int column(int input, int tap) {
    return depthwise ? tap : tap * channels + input;
  }

  private AttributeProto[] attributes(AttributeProto... more) {
    return java.util.stream.Stream.concat(
            java.util.stream.Stream.of(
                OnnxGraph.attribute("kernel_shape", List.of(3L, 3L)),
                OnnxGraph.attribute("pads", List.of(1L, 1L, 1L, 1L)),
                OnnxGraph.attribute("group", depthwise ? channels : 1)),
            java.util.stream.Stream.of(more))
        .toArray(AttributeProto[]::new);
  }

  /// Floats to floats, channels first, bias and ReLU.
  Contender floats() throws OrtException {
    float[] w = new float[channels * taps() * 9];
    float[] bias = new float[channels];
    for (int channel = 0; channel < channels; channel++) {
      bias[channel] = weights.bias(channel);
      for (int i = 0; i < taps(); i++) {
        for (int tap = 0; tap < 9; tap++) {
          w[(channel * taps() + i) * 9 + tap] =
              PlaneWeights.SCALE * weights.centred(channel, column(i, tap), 8);
        }
      }
    }
    long pixels = (long) size * size;
    MemorySegment input =
        Memory.floats(
            arena,
            pixels * channels,
            at -> X_SCALE * x.get(JAVA_BYTE, at % pixels * channels + at / pixels));
    OrtPeer.Side y = OrtPeer.floats(arena, 1, channels, size, size);
    OnnxGraph graph =
        new OnnxGraph()
            .input("x", OnnxGraph.FLOAT, 1, channels, size, size)
            .floats("w", w, channels, taps(), 3, 3)
            .floats("b", bias, channels)
            .node("Conv", "x w b", "t", attributes())
            .node("Relu", "t", "y");
    return new OrtPeer(
        graph.build("y", OnnxGraph.FLOAT, 1, channels, size, size),
        1,
        OrtPeer.floats(input, 1, channels, size, size),
        y,
        (row, channel) -> Memory.at(y.bytes(), channel * pixels + row),
        (row, channel) -> expected(row, channel, 8, true),
        1e-3);
  }

  /// Codes to codes, channels last, bias and ReLU by saturation.
  Contender bytes() throws OrtException {
    byte[] w = new byte[channels * taps() * 9];
    int[] bias = new int[channels];
    for (int channel = 0; channel < channels; channel++) {
      bias[channel] =
          Math.round(weights.bias(channel) / (X_SCALE * (2 << cut) * PlaneWeights.SCALE));
      for (int i = 0; i < taps(); i++) {
        for (int tap = 0; tap < 9; tap++) {
          w[(channel * taps() + i) * 9 + tap] =
              (byte) ((weights.code(channel, column(i, tap)) - 128) >> cut);
        }
      }
    }
    MemorySegment input = arena.allocate(x.byteSize(), 64);
    for (long i = 0; i < x.byteSize(); i++) {
      input.set(JAVA_BYTE, i, (byte) (x.get(JAVA_BYTE, i) + 128));
    }
    OrtPeer.Side y = OrtPeer.bytes(arena.allocate(x.byteSize(), 64), 1, size, size, channels);
    OnnxGraph graph =
        new OnnxGraph()
            .input("x", OnnxGraph.U8, 1, size, size, channels)
            .constant("w", OnnxGraph.S8, w, channels, taps(), 3, 3)
            .constant("b", OnnxGraph.S32, ProductPeers.littleEndian(bias), channels)
            .floats("xs", new float[] {X_SCALE})
            .floats("ws", new float[] {(2 << cut) * PlaneWeights.SCALE})
            .floats("ys", new float[] {Y_SCALE})
            .constant("xz", OnnxGraph.U8, new byte[] {(byte) 128})
            .constant("wz", OnnxGraph.S8, new byte[] {0})
            .constant("yz", OnnxGraph.U8, new byte[] {0})
            .node(
                OnnxGraph.MICROSOFT,
                "QLinearConv",
                "x xs xz w ws wz ys yz b",
                "y",
                attributes(OnnxGraph.attribute("channels_last", 1)));
    return new OrtPeer(
        graph.build("y", OnnxGraph.U8, 1, size, size, channels),
        1,
        OrtPeer.bytes(input, 1, size, size, channels),
        y,
        (row, channel) ->
            Y_SCALE * Byte.toUnsignedInt(y.bytes().get(JAVA_BYTE, (long) row * channels + channel)),
        (row, channel) -> Math.min(255 * Y_SCALE, expected(row, channel, 8, false)),
        0.02);
  }

  private double expected(int row, int channel, int bits, boolean centred) {
    return Convolution.sum(
        row,
        size,
        (pixel, tap) -> {
          double sum = 0;
          for (int i = 0; i < taps(); i++) {
            int from = depthwise ? channel : i;
            int column = column(i, tap);
            int weight =
                centred
                    ? weights.centred(channel, column, bits)
                    : ((weights.code(channel, column) - 128) >> cut) * (2 << cut);
            sum += weight * x.get(JAVA_BYTE, (long) pixel * channels + from);
          }
          return sum * X_SCALE * PlaneWeights.SCALE;
        },
        weights.bias(channel));
  }
}
