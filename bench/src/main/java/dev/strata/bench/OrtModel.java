package dev.strata.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.trainer.cli.CommandFailure;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;

/// A whole network in ONNX Runtime, with one thread.
final class OrtModel implements AutoCloseable {
  private final String name;
  private final OrtSession session;

  /// @param name of the network, for messages
  OrtModel(String name, byte[] onnx) throws OrtException {
    this.name = name;
    try (OrtSession.SessionOptions options = OrtPeer.options()) {
      session = OrtEnvironment.getEnvironment().createSession(onnx, options);
    }
  }

  /// Inputs that are in ONNX Runtime's memory already.
  final class Call implements AutoCloseable {
    private final Map<String, OnnxTensor> inputs = new LinkedHashMap<>();

    private Call() {}

    /// Computes everything; the outputs are dropped.
    void run() {
      try {
        session.run(inputs).close();
      } catch (OrtException failure) {
        throw new IllegalStateException(name, failure);
      }
    }

    /// Outputs of floats by name.
    Map<String, float[]> outputs() throws OrtException {
      Map<String, float[]> outputs = new LinkedHashMap<>();
      try (OrtSession.Result result = session.run(inputs)) {
        for (Map.Entry<String, OnnxValue> one : result) {
          if (one.getValue() instanceof OnnxTensor tensor && tensor.getFloatBuffer() != null) {
            float[] values = new float[tensor.getFloatBuffer().remaining()];
            tensor.getFloatBuffer().get(values);
            outputs.put(one.getKey(), values);
          }
        }
      }
      return outputs;
    }

    @Override
    public void close() {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  /// @param values by name; those that the network does not take are left out
  Call call(Map<String, Tensor> values) throws OrtException {
    Call call = new Call();
    try {
      for (String input : session.getInputNames()) {
        if (!values.containsKey(input)) {
          throw CommandFailure.badInput(
              "%s: takes '%s', the artifact's network takes %s"
                  .formatted(name, input, values.keySet()));
        }
        call.inputs.put(input, tensor(values.get(input)));
      }
      return call;
    } catch (Throwable failure) {
      call.close();
      throw failure;
    }
  }

  private OnnxTensor tensor(Tensor value) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    Shape shape = value.shape();
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(Math.toIntExact(value.data().byteSize()))
            .order(ByteOrder.nativeOrder());
    bytes.put(value.data().asByteBuffer()).flip();
    if (value.type() == DataType.FP32) {
      return OnnxTensor.createTensor(environment, bytes.asFloatBuffer(), shape.toArray());
    }
    if (value.type() == DataType.INT64) {
      return OnnxTensor.createTensor(environment, bytes.asLongBuffer(), shape.toArray());
    }
    throw CommandFailure.badInput(
        "%s: got inputs of type %s, expected FP32 or INT64".formatted(name, value.type()));
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException failure) {
      throw new IllegalStateException(name, failure);
    }
  }
}
