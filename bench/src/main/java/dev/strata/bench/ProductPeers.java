package dev.strata.bench;

import ai.onnxruntime.OrtException;
import dev.strata.precision.PlaneLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// ONNX Runtime and OpenBLAS on the matrix product of some weights, from floats to floats.
final class ProductPeers {
  private static final int NBITS_BLOCK = 32;

  private final Arena arena;
  private final int count;
  private final int rows;
  private final int columns;
  private final int copies;
  private final MemorySegment x;
  private final float[] bias;

  /// `[rows][columns]`: codes at 8 bits.
  private final byte[] codes;

  ProductPeers(Arena arena, PlaneWeights weights, int count, MemorySegment x) {
    PlaneLayout layout = weights.layout();
    this.arena = arena;
    this.count = count;
    this.rows = layout.rows();
    this.columns = layout.columns();
    this.copies = weights.copyCount();
    this.x = x;
    bias = new float[rows];
    codes = new byte[rows * columns];
    for (int row = 0; row < rows; row++) {
      bias[row] = weights.bias(row);
      for (int column = 0; column < columns; column++) {
        codes[row * columns + column] = (byte) weights.code(row, column);
      }
    }
  }

  private int code(int row, int column) {
    return Byte.toUnsignedInt(codes[row * columns + column]);
  }

  /// One matrix product and ReLU.
  Contender floats() throws OrtException {
    float[] w = new float[rows * columns];
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        w[column * rows + row] = PlaneWeights.SCALE * (2 * code(row, column) - 255);
      }
    }
    OnnxGraph graph =
        graph()
            .floats("w", w, columns, rows)
            .node("MatMul", "x w", "p")
            .node("Add", "p bias", "t")
            .node("Relu", "t", "y");
    return peer(graph, (row, column) -> 2 * code(row, column) - 255, 1, 1e-3);
  }

  /// Activations quantized inside; ONNX Runtime fuses this to one operator and a ReLU.
  Contender bytes() throws OrtException {
    int cut = 8 - OrtPeer.WEIGHT_BITS;
    byte[] w = new byte[rows * columns];
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        w[column * rows + row] = (byte) ((code(row, column) - 128) >> cut);
      }
    }
    OnnxGraph graph =
        graph()
            .constant("w", OnnxGraph.S8, w, columns, rows)
            .constant("wz", OnnxGraph.S8, new byte[1])
            .floats("ws", new float[] {(2 << cut) * PlaneWeights.SCALE})
            .node("", "DynamicQuantizeLinear", "x", "q xs xz")
            .node("MatMulInteger", "q w xz wz", "i")
            .node("Cast", "i", "f", OnnxGraph.attribute("to", OnnxGraph.FLOAT))
            .node("Mul", "xs ws", "s")
            .node("Mul", "f s", "p")
            .node("Add", "p bias", "t")
            .node("Relu", "t", "y");
    return peer(graph, (row, column) -> (code(row, column) - 128) >> cut, 2 << cut, 0.02);
  }

  /// Weights of 2, 4 or 8 bits with a scale for each 32, activations quantized inside.
  Contender nbits(int bits) throws OrtException {
    int perByte = 8 / bits;
    byte[] w = new byte[rows * columns / perByte];
    for (int i = 0; i < codes.length; i++) {
      w[i / perByte] |=
          (byte) ((Byte.toUnsignedInt(codes[i]) >> (8 - bits)) << (i % perByte * bits));
    }
    float step = 2 * PlaneWeights.SCALE * (1 << (8 - bits));
    float[] scales = new float[rows * columns / NBITS_BLOCK];
    java.util.Arrays.fill(scales, step);
    OnnxGraph graph =
        graph()
            .constant("w", OnnxGraph.U8, w, rows, columns / NBITS_BLOCK, NBITS_BLOCK / perByte)
            .floats("s", scales, (long) rows * columns / NBITS_BLOCK)
            .node(
                OnnxGraph.MICROSOFT,
                "MatMulNBits",
                "x w s - - bias",
                "t",
                OnnxGraph.attribute("K", columns),
                OnnxGraph.attribute("N", rows),
                OnnxGraph.attribute("bits", bits),
                OnnxGraph.attribute("block_size", NBITS_BLOCK),
                OnnxGraph.attribute("accuracy_level", 4))
            .node("Relu", "t", "y");
    int middle = 1 << (bits - 1);
    return peer(
        graph,
        (row, column) -> (code(row, column) >> (8 - bits)) - middle,
        step / PlaneWeights.SCALE,
        0.02);
  }

  Contender blas() {
    float[] w = new float[rows * columns];
    for (int i = 0; i < w.length; i++) {
      w[i] = PlaneWeights.SCALE * (2 * Byte.toUnsignedInt(codes[i]) - 255);
    }
    return new BlasPeer(count, rows, columns, x, w, copies);
  }

  private OnnxGraph graph() {
    return new OnnxGraph().input("x", OnnxGraph.FLOAT, count, columns).floats("bias", bias, rows);
  }

  private interface Weight {
    int at(int row, int column);
  }

  private Contender peer(OnnxGraph graph, Weight weight, float unit, double tolerance)
      throws OrtException {
    OrtPeer.Side y = OrtPeer.floats(arena, count, rows);
    return new OrtPeer(
        graph.build("y", OnnxGraph.FLOAT, count, rows),
        copies,
        OrtPeer.floats(x, count, columns),
        y,
        (row, channel) -> Memory.at(y.bytes(), (long) row * rows + channel),
        (row, channel) -> {
          double sum = 0;
          for (int column = 0; column < columns; column++) {
            sum += Memory.at(x, (long) row * columns + column) * weight.at(channel, column);
          }
          return Math.max(0, sum * unit * PlaneWeights.SCALE + bias[channel]);
        },
        tolerance);
  }

  /// Scalars of a graph.
  static byte[] littleEndian(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(values);
    return bytes.array();
  }
}
