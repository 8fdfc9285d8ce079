package dev.strata.trainer.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.plan.ExecutablePlan;
import dev.strata.plan.ExecutionContext;
import dev.strata.plan.Planner;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/// The same network in ONNX Runtime and here.
final class Runs {
  private Runs() {}

  /// ONNX Runtime's outputs, for each set of inputs.
  static List<Map<String, Tensor>> reference(byte[] model, List<Map<String, Tensor>> inputs)
      throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    List<Map<String, Tensor>> results = new ArrayList<>();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      try (OrtSession session = environment.createSession(model, options)) {
        for (Map<String, Tensor> set : inputs) {
          results.add(run(environment, session, set));
        }
      }
    }
    return results;
  }

  private static Map<String, Tensor> run(
      OrtEnvironment environment, OrtSession session, Map<String, Tensor> inputs)
      throws OrtException {
    Map<String, OnnxTensor> converted = new HashMap<>();
    try {
      for (Map.Entry<String, Tensor> input : inputs.entrySet()) {
        converted.put(input.getKey(), convert(environment, input.getValue()));
      }
      Map<String, Tensor> outputs = new HashMap<>();
      try (OrtSession.Result result = session.run(converted)) {
        for (Map.Entry<String, OnnxValue> output : result) {
          outputs.put(output.getKey(), convert((OnnxTensor) output.getValue()));
        }
      }
      return outputs;
    } finally {
      converted.values().forEach(OnnxTensor::close);
    }
  }

  private static OnnxTensor convert(OrtEnvironment environment, Tensor tensor) throws OrtException {
    long[] shape = tensor.shape().toArray();
    return tensor.type() == DataType.FP32
        ? OnnxTensor.createTensor(environment, FloatBuffer.wrap(tensor.toFloats()), shape)
        : OnnxTensor.createTensor(environment, LongBuffer.wrap(tensor.toLongs()), shape);
  }

  private static Tensor convert(OnnxTensor value) {
    Shape shape = Shape.of(value.getInfo().getShape());
    ByteBuffer bytes = value.getByteBuffer().order(ByteOrder.nativeOrder());
    int count = (int) shape.elements();
    return switch (value.getInfo().type) {
      case FLOAT -> {
        float[] values = new float[count];
        bytes.asFloatBuffer().get(values);
        yield Tensor.of(shape, values);
      }
      case INT64 -> {
        long[] values = new long[count];
        bytes.asLongBuffer().get(values);
        yield Tensor.of(shape, values);
      }
      case BOOL -> {
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
          values[i] = bytes.get(i);
        }
        yield Tensor.of(shape, values);
      }
      default -> throw new IllegalArgumentException("output of type " + value.getInfo().type);
    };
  }

  /// Our outputs, for each set of inputs.
  static List<Map<String, Tensor>> ours(FloatModel model, List<Map<String, Tensor>> inputs) {
    try (Arena arena = Arena.ofConfined()) {
      ExecutablePlan plan = Planner.plan(model.graph(), Optional.empty(), model.tensors(), arena);
      try (ExecutionContext context = plan.newContext()) {
        return inputs.stream().map(context::run).toList();
      }
    }
  }

  static Tensor random(Random random, long... dims) {
    Shape shape = Shape.of(dims);
    float[] values = new float[(int) shape.elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.of(shape, values);
  }

  /// Equal shapes, and elements equal but for `tolerance`, absolute for small numbers and
  /// relative for large ones.
  ///
  /// @return the largest difference
  static double assertClose(String what, Tensor expected, Tensor got, double tolerance) {
    assertEquals(expected.shape(), got.shape(), what + ": shape");
    assertEquals(expected.type(), got.type(), what + ": type");
    if (expected.type() == DataType.INT64) {
      assertArrayEquals(expected.toLongs(), got.toLongs(), what);
      return 0;
    }
    float[] wanted = expected.toFloats();
    float[] found = got.toFloats();
    double largest = 0;
    for (int i = 0; i < wanted.length; i++) {
      double difference =
          wanted[i] == found[i] || (Float.isNaN(wanted[i]) && Float.isNaN(found[i]))
              ? 0
              : Math.abs((double) wanted[i] - found[i]);
      boolean close = difference <= tolerance * Math.max(1, Math.abs(wanted[i]));
      assertTrue(
          close, "%s: element %d: got %s, expected %s".formatted(what, i, found[i], wanted[i]));
      largest = Math.max(largest, difference);
    }
    return largest;
  }
}
