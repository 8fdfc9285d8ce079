package dev.strata.bench;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// ONNX Runtime with one thread, over memory that is kept between calls.
final class OrtPeer implements Contender {

  /// One side of the network: `x` or `y`.
  ///
  /// @param bytes FP32 values or unsigned bytes, by [#isFloat]
  record Side(MemorySegment bytes, boolean isFloat, List<Long> dims) {}

  /// Bits of the weights that its int8 kernels are given. Where x86 has no dot product of bytes,
  /// they add pairs of products in 16 bits, which overflows with 8; then it wants 7, its
  /// quantizer's `reduce_range`.
  static final int WEIGHT_BITS = weightBits();

  private final List<OrtSession> sessions = new ArrayList<>();
  private final OnnxTensor x;
  private final OnnxTensor y;
  private final Reader reader;
  private final Reader expected;
  private final double tolerance;

  /// Gives one value of a result.
  interface Reader {
    double at(int row, int channel);
  }

  OrtPeer(
      byte[] model, int copies, Side x, Side y, Reader reader, Reader expected, double tolerance)
      throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession.SessionOptions options = options()) {
      for (int copy = 0; copy < copies; copy++) {
        sessions.add(environment.createSession(model, options));
      }
    }
    this.x = tensor(environment, x);
    this.y = tensor(environment, y);
    this.reader = reader;
    this.expected = expected;
    this.tolerance = tolerance;
  }

  static OrtSession.SessionOptions options() throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setIntraOpNumThreads(1);
    options.setInterOpNumThreads(1);
    options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
    options.setSessionLogLevel(ai.onnxruntime.OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
    return options;
  }

  private static int weightBits() {
    if (!System.getProperty("os.arch").equals("amd64")) {
      return 8;
    }
    try {
      return Files.readString(Path.of("/proc/cpuinfo")).contains("vnni") ? 8 : 7;
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  static Side floats(Arena arena, long... dims) {
    return floats(arena.allocate(elements(dims) * Float.BYTES, 64), dims);
  }

  static Side floats(MemorySegment values, long... dims) {
    return new Side(values, true, java.util.Arrays.stream(dims).boxed().toList());
  }

  static Side bytes(MemorySegment values, long... dims) {
    return new Side(values, false, java.util.Arrays.stream(dims).boxed().toList());
  }

  private static long elements(long... dims) {
    return java.util.Arrays.stream(dims).reduce(1, (a, b) -> a * b);
  }

  private static OnnxTensor tensor(OrtEnvironment environment, Side side) throws OrtException {
    var buffer = side.bytes().asByteBuffer().order(ByteOrder.nativeOrder());
    long[] dims = side.dims().stream().mapToLong(Long::longValue).toArray();
    return side.isFloat()
        ? OnnxTensor.createTensor(environment, buffer.asFloatBuffer(), dims)
        : OnnxTensor.createTensor(environment, buffer, dims, OnnxJavaType.UINT8);
  }

  @Override
  public void run(int copy) {
    try {
      sessions.get(copy).run(Map.of("x", x), Map.of("y", y)).close();
    } catch (OrtException failure) {
      throw new IllegalStateException(failure);
    }
  }

  @Override
  public double output(int row, int channel) {
    return reader.at(row, channel);
  }

  @Override
  public double expected(int row, int channel) {
    return expected.at(row, channel);
  }

  @Override
  public double tolerance() {
    return tolerance;
  }

  @Override
  public void close() {
    try {
      x.close();
      y.close();
      for (OrtSession session : sessions) {
        session.close();
      }
    } catch (OrtException failure) {
      throw new IllegalStateException(failure);
    }
  }
}
